import { mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fail } from "../../runtime/index.ts";
import { syncDirectory } from "../store/disk/sync-directory.ts";
import type { BackedUpFile, Manifest } from "./manifest.ts";
import type { Repository } from "./repository.ts";

/** What is restored, and where to. */
export interface RestoreOptions {
  readonly repository: Pick<Repository, "chunks" | "generations">;
  /** Name of the backup. */
  readonly name: string;
  /** The data directory to make; it must be missing or empty. */
  readonly dataDir: string;
  /** The newest schema that this Weft knows. */
  readonly schema: number;
  readonly signal: AbortSignal;
  progress(done: number, total: number): void;
}

const SAFE = /^(weft\.db(-wal)?|secrets\.key|(files|datastores)(\/[A-Za-z0-9_-][A-Za-z0-9._-]*){1,3})$/;

async function checkEmpty(dataDir: string): Promise<void> {
  const found = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (found.length === 0) return;
  const message = `${dataDir} is not empty: nothing is restored over a data directory. Move it away, or name another with WEFT_DATA_DIR.`;
  throw fail("CONFLICT", { message, directory: dataDir });
}

/** Every piece is read before anything is written. */
async function verify({ files }: Manifest, options: RestoreOptions, advance: (bytes: number) => void): Promise<void> {
  const checked = new Set<string>();
  for (const { path, chunks, bytes } of files) {
    if (!SAFE.test(path)) throw fail("CONFLICT", { message: `The backup names a file that Weft never makes: ${path}` });
    for (const hash of chunks) {
      options.signal.throwIfAborted();
      if (!checked.has(hash)) await options.repository.chunks.get(hash);
      checked.add(hash);
    }
    advance(bytes);
  }
}

async function write(file: BackedUpFile, root: string, { repository, signal }: RestoreOptions): Promise<void> {
  const path = join(root, file.path);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const target = await open(path, "wx", 0o600);
  try {
    for (const hash of file.chunks) {
      signal.throwIfAborted();
      await target.writeFile(await repository.chunks.get(hash));
    }
    await target.sync();
  } finally {
    await target.close();
  }
}

/** Takes the log into the file, and looks whether the database is whole and known. */
function checkDatabase(root: string, schema: number): void {
  const db = new DatabaseSync(join(root, "weft.db"));
  try {
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const found = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (found > schema) {
      const message = `The backup has schema version ${found}; this Weft knows versions up to ${schema}. Use a newer Weft.`;
      throw fail("CONFLICT", { message, found, known: schema });
    }
    const result = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    if (result !== "ok")
      throw fail("CONFLICT", { message: `The database of the backup is damaged: ${String(result)}` });
  } finally {
    db.close();
  }
}

/** Makes a data directory from a backup: whole, or not at all. CONFLICT for a damaged backup or a directory that is not empty. */
export async function restoreBackup(options: RestoreOptions): Promise<Manifest> {
  const dataDir = resolve(options.dataDir);
  await checkEmpty(dataDir);
  const manifest = await options.repository.generations.read(options.name);
  const total = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) * 2;
  let done = 0;
  const advance = (bytes: number) => {
    done += bytes;
    options.progress(done, total);
  };
  await verify(manifest, options, advance);
  const fresh = `${dataDir}.restoring-${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  try {
    for (const file of manifest.files) {
      await write(file, fresh, options);
      advance(file.bytes);
    }
    checkDatabase(fresh, options.schema);
    await rmdir(dataDir).catch(() => undefined);
    await rename(fresh, dataDir);
    await syncDirectory(dirname(dataDir));
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
  return manifest;
}
