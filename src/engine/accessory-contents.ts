import { hash } from "node:crypto";
import type { Received, Store, Version } from "../store/store.ts";
import { type FileParts, keepContent } from "./files/keep-content.ts";
import type { UploadedAccessory } from "./workflows.ts";

/** Contents up to this size are kept in the database, larger ones as files, which are read piece by piece. */
const INLINE_BYTES = 256 * 1024;

/** An uploaded accessory whose content is known by its hash. */
export interface StagedAccessory {
  readonly key: string;
  readonly filename: string;
  readonly hash: string;
  readonly bytes: number;
  /** Where it waits: in memory, or received. */
  readonly content: Uint8Array | Received;
}

/** An accessory of a version, by its content. */
type Accessory = Pick<Version["accessories"][string], "hash" | "bytes">;

/** Where the contents of accessories are. */
export interface AccessoryContents {
  /** Receives the content of an accessory as it comes. */
  receive(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Received>;
  /** Throws away what was received; nothing happens to what was kept. */
  discard(received: Received): Promise<void>;
  stage(uploaded: readonly UploadedAccessory[]): Promise<readonly StagedAccessory[]>;
  /** Throws away what was staged and not kept. */
  release(staged: readonly StagedAccessory[]): Promise<void>;
  /** Keeps what was staged while `take` stores, in its first turn, the version that has it: both are durable, or neither is. */
  keep<T>(staged: readonly StagedAccessory[], take: () => Promise<T>): Promise<T>;
  /** Up to `length` bytes from `start`; null when there is no such content. */
  read(accessory: Accessory, start: number, length: number): Promise<Uint8Array | null>;
}

const isInMemory = (content: Uint8Array | Received): content is Uint8Array => content instanceof Uint8Array;

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Keeps the first of them and, while nobody may remove that one, the rest. All go by the same order: no two wait for each other. */
async function keepAll<T>(received: readonly Received[], parts: FileParts, take: () => Promise<T>): Promise<T> {
  const [first, ...rest] = received;
  return first === undefined ? take() : keepContent(first, parts, () => keepAll(rest, parts, take));
}

/** Of the same content one is enough. */
function toKeep(staged: readonly StagedAccessory[]): readonly Received[] {
  const byHash = new Map<string, Received>();
  for (const { content } of staged) if (!isInMemory(content)) byHash.set(content.hash, content);
  return [...byHash.values()].sort((a, b) => (a.hash < b.hash ? -1 : 1));
}

async function readBlob(store: Store, hashOf: string, start: number, length: number): Promise<Uint8Array | null> {
  const blob = await store.readBlob({ hash: hashOf });
  return blob?.subarray(start, start + length) ?? null;
}

/** Makes it; contents are beside those of files. */
export function createAccessoryContents(parts: FileParts): AccessoryContents {
  const { store, contents } = parts;
  const receive = (source: AsyncIterable<Uint8Array>, maxBytes: number) =>
    contents.receive(source, { maxBytes, limit: "maxAccessoryBytes" });

  const stageOne = async ({ key, filename, ...given }: UploadedAccessory): Promise<StagedAccessory> => {
    const content = "received" in given ? given.received : given.bytes;
    const isLarge = isInMemory(content) && content.byteLength > INLINE_BYTES;
    const staged = isLarge ? await receive(once(content), content.byteLength) : content;
    if (!isInMemory(staged)) return { key, filename, hash: staged.hash, bytes: staged.bytes, content: staged };
    return { key, filename, hash: hash("sha256", staged, "hex"), bytes: staged.byteLength, content: staged };
  };

  return {
    receive,
    discard: (received) => contents.discard(received),
    async stage(uploaded) {
      const staged: StagedAccessory[] = [];
      for (const one of uploaded) staged.push(await stageOne(one));
      return staged;
    },
    async release(staged) {
      for (const { content } of staged) if (!isInMemory(content)) await contents.discard(content);
    },
    keep: (staged, take) =>
      keepAll(toKeep(staged), parts, async () => {
        // In the same turn as what `take` stores.
        const blobs = staged.flatMap(({ hash: name, content }) =>
          isInMemory(content) ? [store.putBlob({ hash: name, bytes: content })] : [],
        );
        const [taken] = await Promise.all([take(), ...blobs]);
        return taken;
      }),
    async read({ hash: name, bytes }, start, length) {
      const inline = () => readBlob(store, name, start, length);
      if (bytes <= INLINE_BYTES) return (await inline()) ?? contents.read(name, start, length);
      // Those of earlier versions of Weft are all in the database.
      return (await contents.read(name, start, length)) ?? inline();
    },
  };
}
