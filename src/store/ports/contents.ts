import type { Readable } from "node:stream";

/** Bytes that were received whole and are not kept yet. */
export interface Received {
  /** Hex SHA-256. */
  readonly hash: string;
  readonly bytes: number;
  /** Where they wait. */
  readonly path: string;
}

/** The most that is received, and what says so. */
export interface ReceiveLimit {
  readonly maxBytes: number;
  /** Name of the limit, for the error. */
  readonly limit: string;
}

/** Part of a content: `start` and `end` (inclusive) are byte offsets. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Contents of files, each stored once under its hash. It knows nothing of who uses them. */
export interface ContentStore {
  /** Writes bytes aside as they come, at the pace of the disk; PAYLOAD_TOO_LARGE beyond the limit. What failed leaves nothing. */
  receive(source: AsyncIterable<Uint8Array>, limit: ReceiveLimit): Promise<Received>;
  /** Makes received bytes a content; durable when it resolves. */
  keep(received: Received): Promise<void>;
  /** Throws received bytes away. */
  discard(received: Received): Promise<void>;
  /** A content, or part of it, as a stream; null when there is none. Removing it later does not disturb the stream. */
  open(hash: string, range?: ByteRange): Promise<Readable | null>;
  /** Up to `length` bytes from `start`; null when there is no such content. */
  read(hash: string, start: number, length: number): Promise<Uint8Array | null>;
  remove(hash: string): Promise<void>;
  /** Removes what an earlier process received and did not keep. */
  clearReceived(): Promise<void>;
}
