import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail } from "../../../runtime/index.ts";
import type { ContentStore, Received, ReceiveLimit } from "../store.ts";
import { syncDirectory } from "./sync-directory.ts";

/** Where contents are, and what a kept one survives (see the store's durability). */
export interface ContentOptions {
  readonly directory: string;
  readonly durability: "full" | "relaxed";
}

const HASH = /^[0-9a-f]{64}$/;

const isMissing = (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOENT";

function tooLarge(bytes: number, { maxBytes, limit }: ReceiveLimit): Error {
  const message = `file: ${bytes} bytes or more, over ${maxBytes} (${limit})`;
  return fail("PAYLOAD_TOO_LARGE", { message, limit, value: bytes });
}

/** Writes all of `source`; every piece is on its way to the disk before the next one is asked for. */
async function copy(source: AsyncIterable<Uint8Array>, file: FileHandle, limit: ReceiveLimit) {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.byteLength;
    if (bytes > limit.maxBytes) throw tooLarge(bytes, limit);
    hash.update(piece);
    for (let at = 0; at < piece.byteLength; ) at += (await file.write(piece, at)).bytesWritten;
  }
  return { hash: hash.digest("hex"), bytes };
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function readAll(file: FileHandle, start: number, length: number): Promise<Uint8Array> {
  const { size } = await file.stat();
  const buffer = new Uint8Array(Math.max(0, Math.min(length, size - start)));
  let at = 0;
  while (at < buffer.byteLength) {
    const { bytesRead } = await file.read(buffer, at, buffer.byteLength - at, start + at);
    if (bytesRead === 0) return buffer.subarray(0, at);
    at += bytesRead;
  }
  return buffer;
}

/** Opens the contents in a directory, which is made when it is missing. Paths are made of hashes and ids of ours, never of names. */
export async function openContents({ directory, durability }: ContentOptions): Promise<ContentStore> {
  const incoming = join(directory, "incoming");
  const syncs = durability === "full";
  await mkdir(incoming, { recursive: true, mode: 0o700 });

  const pathOf = (hash: string) => {
    if (!HASH.test(hash)) throw new Error(`not the hash of a content: ${hash.slice(0, 80)}`);
    return join(directory, hash.slice(0, 2), hash);
  };
  const discard = ({ path }: Pick<Received, "path">) => rm(path, { force: true });

  return {
    discard,
    async receive(source, limit) {
      const path = join(incoming, randomUUID());
      const file = await open(path, "wx", 0o600);
      try {
        const received = await copy(source, file, limit);
        if (syncs) await file.sync();
        await file.close();
        return { ...received, path };
      } catch (error) {
        await file.close().finally(() => discard({ path }));
        throw error;
      }
    },
    async keep({ hash, path }) {
      const target = pathOf(hash);
      const made = await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await rename(path, target);
      if (!syncs) return;
      await syncDirectory(dirname(target));
      if (made !== undefined) await syncDirectory(directory);
    },
    async open(hash, range) {
      const file = await openOrNull(pathOf(hash));
      return file?.createReadStream(range ?? {}) ?? null;
    },
    async read(hash, start, length) {
      const file = await openOrNull(pathOf(hash));
      return file === null ? null : readAll(file, start, length).finally(() => file.close());
    },
    remove: (hash) => rm(pathOf(hash), { force: true }),
    async clearReceived() {
      await rm(incoming, { recursive: true, force: true });
      await mkdir(incoming, { recursive: true, mode: 0o700 });
    },
  };
}
