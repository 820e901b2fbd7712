import type { DatastoreParts } from "./run-import.ts";

/** Files looked at per round. */
const PORTION = 100;
/** How often unused files are looked for, ms. */
const LOOK_MS = 60_000;

/** Removes the files that nobody reads: given up for longer than `keepMs`, and no unfinished execution is pinned to them. */
export async function collectFiles(
  keepMs: number,
  { store, runtime, disk, now, isHeld }: DatastoreParts,
): Promise<void> {
  if (isHeld()) return;
  const files = await store.unusedDatastoreFiles({ before: now() - keepMs, limit: PORTION });
  for (const file of files) {
    const { accountId, datastoreId: id, base } = file;
    await disk.removeFile(runtime.fileOf(accountId, { id, base }));
    await store.forgetDatastoreFile(file);
  }
}

/** Looks for unused files from time to time, one round after another. */
export function keepCollecting(keepMs: number, parts: DatastoreParts): { close(): Promise<void> } {
  let round: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    round = round.then(() => collectFiles(keepMs, parts)).catch(parts.report);
  }, LOOK_MS).unref();
  return {
    async close() {
      clearInterval(timer);
      await round;
    },
  };
}
