import { open } from "node:fs/promises";

/** Flushes the entries of a directory: without it a rename does not survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  await directory.sync().finally(() => directory.close());
}
