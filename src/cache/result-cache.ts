import { LRUCache } from "lru-cache";
import type { CachedResult, Store } from "../store/store.ts";

/** Finished results by cache key: memory in front of the store. */
export interface ResultCache {
  /** The result of `key` that has not expired at `now` (ms since the epoch), or null. */
  read(key: string, now: number): Promise<CachedResult | null>;
  /** Drops results from memory: the store has them no longer. */
  forget(keys: readonly string[]): void;
  /** Keeps a result; `memoryOnly` for results whose key means nothing to another process. Resolves once it is stored. */
  write(key: string, entry: CacheEntry): Promise<void>;
}

/** A result to keep. */
export interface CacheEntry {
  readonly workflowId: string;
  readonly result: CachedResult;
  readonly memoryOnly: boolean;
}

type CacheStore = Pick<Store, "readResult" | "writeResult" | "pruneResults">;

/** Settings of the cache. */
export interface ResultCacheOptions {
  readonly store: CacheStore;
  /** Memory for results, bytes. */
  readonly maxBytes: number;
  /** Disk for results, bytes. */
  readonly maxStoredBytes: number;
}

/** What an entry costs besides its texts, bytes. */
const ENTRY_BYTES = 256;
/** Writes between two clean-ups of the store; the first write of a process is followed by one. */
const PRUNE_EVERY = 500;
/** Part of the disk that may be written between two clean-ups. */
const PRUNE_PART = 0.1;
/** Results removed per clean-up step, so that none takes long. */
const PRUNE_STEP = 200;

function sizeOf(result: CachedResult): number {
  let bytes = ENTRY_BYTES + (result.output?.length ?? 0);
  for (const chunk of result.chunks) bytes += chunk.type.length + chunk.content.length + ENTRY_BYTES;
  return bytes;
}

const isAlive = (result: CachedResult, now: number): boolean => result.expiresAt === null || result.expiresAt > now;

/** Makes the cache of results. */
export function createResultCache({ store, maxBytes, maxStoredBytes }: ResultCacheOptions): ResultCache {
  const memory = new LRUCache<string, CachedResult>({ maxSize: maxBytes, sizeCalculation: sizeOf });
  let writes = 0;
  let written = 0;

  const prune = async () => {
    const limits = { maxBytes: maxStoredBytes, max: PRUNE_STEP };
    while ((await store.pruneResults({ now: Date.now(), ...limits })) > 0);
  };

  return {
    async read(key, now) {
      const known = memory.get(key);
      if (known !== undefined) {
        if (isAlive(known, now)) return known;
        memory.delete(key);
        return null;
      }
      const stored = await store.readResult({ key, now });
      if (stored !== null) memory.set(key, stored);
      return stored;
    },
    forget(keys) {
      for (const key of keys) memory.delete(key);
    },
    async write(key, { workflowId, result, memoryOnly }) {
      memory.set(key, result);
      if (memoryOnly) return;
      await store.writeResult({ key, workflowId, result });
      written += sizeOf(result);
      if (writes++ % PRUNE_EVERY !== 0 && written < maxStoredBytes * PRUNE_PART) return;
      written = 0;
      await prune();
    },
  };
}
