import { createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, rmdir, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fail, toDiskError } from "../../../runtime/index.ts";
import type { DatastoreFile } from "../../store/store.ts";

/** Where datastores are, and how much of the disk they may take. */
export interface DiskOptions {
  /** Directory of all datastores. */
  readonly root: string;
  /** Bytes that stay free. */
  readonly minFreeBytes: number;
  /** Largest upload, bytes. */
  readonly maxImportBytes: number;
}

/** The directory of uploads and files of datastores; every name in it is made of our own ids. */
export interface Disk {
  /** Takes a body to the disk as the upload of an import; resolves with its size once it is durable, and leaves nothing when it fails. */
  receive(
    importId: string,
    body: AsyncIterable<Uint8Array>,
    length: number | null,
    signal: AbortSignal,
  ): Promise<number>;
  /** Path of an upload. */
  uploadOf(importId: string): string;
  removeUpload(importId: string): Promise<void>;
  /** Path of a file that is made for a moment. */
  scratch(name: string): string;
  /** OVERLOADED where so many bytes more would leave less than what stays free. */
  checkRoom(bytes: number): Promise<void>;
  /** Makes the directory of a file that is about to be written. */
  prepare(file: string): Promise<void>;
  /** Removes a file of a datastore with what SQLite has beside it, and its directory when that was the last one. */
  removeFile(file: string): Promise<void>;
  /** Removes everything that is neither a file of `known` nor the upload of one of `imports`. */
  clean(known: readonly DatastoreFile[], imports: readonly string[]): Promise<void>;
}

const UPLOADS = "uploads";
/** For the temporary files of SQLite; the runtime knows it by this name. */
const TEMPORARY = "temporary";
/** The free space is looked at again after so many bytes. */
const LOOK_BYTES = 64 * 1024 * 1024;
const BESIDE = ["", "-wal", "-shm", "-journal", ".part", ".part-wal", ".part-shm", ".part-journal"];

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? error.code : null);

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

async function names(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Counts what passes; fails where it is too much for the limit or the disk. */
function createGauge({ root, minFreeBytes, maxImportBytes }: DiskOptions): Transform & { readonly bytes: number } {
  let bytes = 0;
  let looked = 0;
  const look = async () => {
    if (bytes > maxImportBytes) throw tooLarge(bytes, maxImportBytes);
    if (bytes - looked < LOOK_BYTES) return;
    looked = bytes;
    await checkFree({ root, minFreeBytes }, 0);
  };
  const gauge = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.byteLength;
      look().then(() => done(null, chunk), done);
    },
  });
  return Object.defineProperty(gauge, "bytes", { get: () => bytes }) as Transform & { readonly bytes: number };
}

function tooLarge(value: number, max: number): Error {
  const message = `import: over ${max} bytes (maxImportBytes)`;
  return fail("PAYLOAD_TOO_LARGE", { message, limit: "maxImportBytes", value });
}

async function checkFree({ root, minFreeBytes }: Omit<DiskOptions, "maxImportBytes">, wanted: number): Promise<void> {
  const free = await freeBytes(root);
  if (free - wanted >= minFreeBytes) return;
  const message = `datastores: the disk has ${free} bytes left; with ${wanted} more it would have less than ${minFreeBytes} (WEFT_MIN_FREE_DISK_MB)`;
  throw fail("OVERLOADED", { message, limit: "minFreeDiskMb", value: free });
}

async function cleanDatastore(directory: string, known: ReadonlySet<string>): Promise<void> {
  for (const name of await names(directory)) {
    const isKnown = BESIDE.slice(0, 4).some(
      (suffix) => name.endsWith(suffix) && known.has(name.slice(0, name.length - suffix.length)),
    );
    if (!isKnown) await rm(join(directory, name), { recursive: true, force: true });
  }
  if (known.size === 0) await rmdir(directory).catch(() => undefined);
}

/** Opens the directory; it is made when it is missing. */
export async function openDisk(options: DiskOptions): Promise<Disk> {
  const { root, maxImportBytes } = options;
  const uploads = join(root, UPLOADS);
  for (const name of [UPLOADS, TEMPORARY]) await mkdir(join(root, name), { recursive: true, mode: 0o700 });
  const uploadOf = (importId: string) => join(uploads, importId);

  const receive: Disk["receive"] = async (importId, body, length, signal) => {
    const path = uploadOf(importId);
    const part = `${path}.part`;
    try {
      if (length !== null && length > maxImportBytes) throw tooLarge(length, maxImportBytes);
      await checkFree(options, length ?? 0);
      const gauge = createGauge(options);
      await pipeline(body, gauge, createWriteStream(part, { flags: "wx", mode: 0o600 }), { signal });
      await sync(part);
      await rename(part, path);
      await sync(uploads);
      return gauge.bytes;
    } catch (error) {
      await rm(part, { force: true });
      throw signal.aborted ? signal.reason : toDiskError(error);
    }
  };

  const cleanUploads = async (kept: ReadonlySet<string>) => {
    for (const name of await names(uploads))
      if (!kept.has(name)) await rm(join(uploads, name), { recursive: true, force: true });
  };

  return {
    receive,
    uploadOf,
    removeUpload: (importId) => rm(uploadOf(importId), { force: true }),
    checkRoom: (bytes) => checkFree(options, bytes),
    scratch: (name) => join(uploads, `${name}.part`),
    async prepare(file) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await checkFree(options, 0);
    },
    async removeFile(file) {
      for (const suffix of BESIDE) await rm(`${file}${suffix}`, { force: true });
      await rmdir(dirname(file)).catch(() => undefined);
    },
    async clean(known, imports) {
      await cleanUploads(new Set(imports));
      for (const name of await names(join(root, TEMPORARY))) await rm(join(root, TEMPORARY, name), { force: true });
      const files = new Map<string, Set<string>>();
      for (const { accountId, datastoreId, base } of known) {
        const directory = join(root, accountId, datastoreId);
        files.set(directory, (files.get(directory) ?? new Set()).add(`${base}.db`));
      }
      for (const account of await names(root)) {
        if (account === UPLOADS || account === TEMPORARY) continue;
        for (const id of await names(join(root, account))) {
          const directory = join(root, account, id);
          await cleanDatastore(directory, files.get(directory) ?? new Set());
        }
      }
    },
  };
}
