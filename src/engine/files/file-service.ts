import type { Readable } from "node:stream";
import type { ByteRange, StoredFile } from "../../store/store.ts";
import type { LinkProof, LinkUse } from "./file-links.ts";

export type { ByteRange, LinkProof, LinkUse, StoredFile };

/** What an uploader says of a file. */
export interface FileFacts {
  /** As it was sent; it is cleaned. */
  readonly name: string;
  readonly contentType: string | null;
  readonly scopeType: string | null;
  readonly scopeId: string | null;
}

/** Content on its way. */
export interface Incoming {
  /** Read at the pace of the disk. Facts are asked for at its end: in a form they may come behind it. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Its size in bytes, if it is known. */
  readonly declared: number | null;
}

/** A file named by a request. */
export interface FileTarget {
  readonly accountId: string;
  /** `file_<32 hex digits>` or a UUID. */
  readonly id: string;
}

/** A signed link. */
export interface PresignedUrl {
  readonly url: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** Files of accounts: inputs that are uploaded, outputs that executions write. */
export interface FileService {
  /** Stores a file. PAYLOAD_TOO_LARGE naming the limit. */
  upload(accountId: string, upload: Incoming & { facts(): Promise<FileFacts> | FileFacts }): Promise<StoredFile>;
  /** Announces a file of exactly `bytes` bytes, and makes the link that its content is sent to, once. */
  awaitUpload(
    accountId: string,
    announced: { readonly facts: FileFacts; readonly bytes: number; readonly expiresIn: number },
  ): Promise<{ readonly file: StoredFile; readonly upload: PresignedUrl }>;
  /** Takes the content of an announced file from the holder of its link; FORBIDDEN for a link that does not work (any more), INVALID_REQUEST for another size. */
  uploadByLink(id: string, proof: LinkProof, incoming: Incoming): Promise<StoredFile>;
  /** The file that a link leads to; FORBIDDEN, NOT_FOUND. */
  findByLink(id: string, proof: LinkProof): Promise<StoredFile>;
  find(target: FileTarget): Promise<StoredFile>;
  /** Newest first; INVALID_REQUEST for a cursor that was not given out. */
  list(query: { readonly accountId: string; readonly cursor: string | null; readonly limit: number }): Promise<{
    readonly items: readonly StoredFile[];
    readonly next: string | null;
  }>;
  /** What an execution wrote. */
  outputs(target: { readonly accountId: string; readonly executionId: string }): Promise<readonly StoredFile[]>;
  /** Its content, or part of it; CONFLICT while the upload is awaited. */
  open(file: StoredFile, range?: ByteRange): Promise<Readable>;
  /** A link to its content that works for `expiresIn` seconds. */
  presign(target: FileTarget, expiresIn: number): Promise<PresignedUrl>;
  remove(target: FileTarget): Promise<void>;
}

/** Longest time that a signed link works, s: a week. */
export const MAX_EXPIRES_IN = 604_800;
/** How long it works where nothing is said, s. */
export const EXPIRES_IN = 3_600;
