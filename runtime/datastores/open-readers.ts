import { openReader, type ReaderOptions } from "./reader.ts";
import type { DatastoreReader, PointReader } from "./types.ts";

/** Readers of files, kept open while they are used. */
export interface Readers {
  /** The reader of a file; throws NOT_FOUND. */
  of(file: string): DatastoreReader;
  close(): void;
}

/** A file that nobody asked for during this time is closed, so that the space of a deleted one comes free. */
const IDLE_MS = 60_000;

/** Keeps up to `max` files open. */
export function openReaders(options: ReaderOptions, max: number): Readers {
  const open = new Map<string, { readonly reader: DatastoreReader; usedAt: number }>();
  const end = (file: string): void => {
    open.get(file)?.reader.close();
    open.delete(file);
  };
  const sweep = setInterval(() => {
    const before = performance.now() - IDLE_MS;
    for (const [file, { usedAt }] of open) if (usedAt < before) end(file);
  }, IDLE_MS);
  sweep.unref();
  return {
    of(file) {
      const entry = open.get(file) ?? { reader: openReader(file, options), usedAt: 0 };
      // Last in the map: the first one is the one longest unused.
      open.delete(file);
      open.set(file, entry);
      entry.usedAt = performance.now();
      const [oldest] = open.keys();
      if (open.size > max && oldest !== undefined) end(oldest);
      return entry.reader;
    },
    close() {
      clearInterval(sweep);
      for (const file of [...open.keys()]) end(file);
    },
  };
}

/** Files that a worker thread keeps open. */
const MAX_OPEN = 16;

/** Point reads on the caller's own thread, see {@link PointReader}. */
export function createPointReader(limits: ReaderOptions["limits"]): PointReader {
  const readers = openReaders({ limits, vectors: null }, MAX_OPEN);
  return { get: ({ file, revision }, ids) => readers.of(file).get(revision, ids), close: () => readers.close() };
}
