import { randomBytes } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../runtime/index.ts";

/** File in the data directory with the key that signing secrets are encrypted with: whoever has the database alone cannot sign. */
const FILE = "secrets.key";
const BYTES = 32;

async function make(path: string): Promise<Buffer> {
  const key = randomBytes(BYTES);
  const fresh = `${path}.new`;
  const file = await open(fresh, "w", 0o600);
  try {
    await file.writeFile(`${key.toString("base64")}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  // Whole or not at all, should the server die here.
  await rename(fresh, path);
  return key;
}

/** Reads the key of a data directory, readable by its user only; makes it on the first start. CONFLICT when the file holds none. */
export async function loadSealKey(directory: string): Promise<Buffer> {
  const path = join(directory, FILE);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return make(path);
  const key = Buffer.from(text.trim(), "base64");
  if (key.length === BYTES) return key;
  const message = `${path}: must hold ${BYTES} bytes as base64, got ${key.length}. Restore it, or move it away for a new one: secrets of webhooks must be rotated then.`;
  throw fail("CONFLICT", { message });
}
