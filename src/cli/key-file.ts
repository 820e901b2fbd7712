import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Path of the key that `weft start` leaves for the same user on the same machine. */
export function keyFile(dataDir: string): string {
  return join(dataDir, "key");
}

/**
 * Writes a newly made owner's key for this user only (mode 0600). It gives nobody a power they lack: who can read this
 * file can also write the database beside it. Deleting it is safe; the server never reads it.
 */
export function writeKeyFile(dataDir: string, key: string): string {
  const file = keyFile(dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  rmSync(file, { force: true });
  writeFileSync(file, `${key}\n`, { mode: 0o600, flag: "wx" });
  return file;
}

/** The key of the key file; null when there is none, or when others than this user could have read or written it. */
export function readKeyFile(dataDir: string): string | null {
  const file = keyFile(dataDir);
  try {
    const { mode, uid } = statSync(file);
    const mine = process.getuid === undefined || uid === process.getuid();
    if (!mine || (mode & 0o077) !== 0) return null;
    return readFileSync(file, "utf8").trim() || null;
  } catch {
    return null;
  }
}
