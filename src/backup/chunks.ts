import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { fail } from "../../runtime/index.ts";
import { syncDirectory } from "../store/disk/sync-directory.ts";

/** Bytes of one chunk: a multiple of SQLite's page, so that a page that did not change leaves its chunk as it was. */
export const CHUNK_BYTES = 1024 * 1024;

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };
const HASH = /^[0-9a-f]{64}$/;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Pieces of files, each stored once under the SHA-256 of what it holds, compressed. */
export interface Chunks {
  /** Stores a piece; `isNew` is false when it was there. */
  put(bytes: Uint8Array): Promise<{ readonly hash: string; readonly isNew: boolean }>;
  /** Reads a piece and checks it; CONFLICT when it is missing or not what it was. */
  get(hash: string): Promise<Uint8Array>;
  /** Removes all that `used` does not name. */
  prune(used: ReadonlySet<string>): Promise<number>;
  /** Flushes the directories: what was put survives a power cut. */
  sync(): Promise<void>;
}

/** Writes a file whole or not at all. */
export async function writeWhole(path: string, bytes: Uint8Array, temporary: string): Promise<void> {
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Opens the chunks in a directory, which is made when it is missing. */
export async function openChunks(directory: string, temporary: string): Promise<Chunks> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const touched = new Set<string>();
  const placeOf = (hash: string) => {
    if (!HASH.test(hash)) throw fail("CONFLICT", { message: `not the name of a chunk: ${hash.slice(0, 80)}` });
    return { folder: join(directory, hash.slice(0, 2)), path: join(directory, hash.slice(0, 2), hash) };
  };
  return {
    async put(bytes) {
      const hash = createHash("sha256").update(bytes).digest("hex");
      const { folder, path } = placeOf(hash);
      const there = await stat(path).catch(() => null);
      if (there !== null) return { hash, isNew: false };
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeWhole(path, await compress(bytes, LEVEL), join(temporary, randomUUID()));
      touched.add(folder);
      return { hash, isNew: true };
    },
    async get(hash) {
      const { path } = placeOf(hash);
      const damaged = (cause: unknown) =>
        fail("CONFLICT", { message: `The backup is damaged: ${path} is missing or not what it was.`, path }, cause);
      const bytes = await readFile(path)
        .then(
          (text) => decompress(text),
          (error: unknown) => {
            throw damaged(error);
          },
        )
        .catch((error: unknown) => {
          throw damaged(error);
        });
      if (createHash("sha256").update(bytes).digest("hex") !== hash) throw damaged(null);
      return bytes;
    },
    async prune(used) {
      let removed = 0;
      for (const folder of await readdir(directory)) {
        for (const name of await readdir(join(directory, folder))) {
          if (used.has(name)) continue;
          await rm(join(directory, folder, name));
          removed++;
        }
        // Refused where something is left.
        await rmdir(join(directory, folder)).catch(() => undefined);
      }
      return removed;
    },
    async sync() {
      for (const folder of touched) await syncDirectory(folder);
      await syncDirectory(directory);
    },
  };
}

/** The pieces of an open file, each as large as a chunk but the last. */
export async function* piecesOf(file: FileHandle): AsyncIterable<Uint8Array> {
  for (let at = 0; ; ) {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let length = 0;
    while (length < CHUNK_BYTES) {
      const { bytesRead } = await file.read(buffer, length, CHUNK_BYTES - length, at + length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > 0) yield buffer.subarray(0, length);
    if (length < CHUNK_BYTES) return;
    at += length;
  }
}
