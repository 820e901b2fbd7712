import type { Lease } from "../rows.ts";

/** A file of an account: what it is called and which content it has. Contents are kept apart, by their hash. */
export interface StoredFile {
  /** UUID. */
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: number;
  /** Hex SHA-256 of its content; null while an upload is awaited. */
  readonly hash: string | null;
  /** What an uploader said it is for; null when nothing was said. */
  readonly scopeType: string | null;
  readonly scopeId: string | null;
  /** The execution that wrote it, and the position of the op; null for uploads. */
  readonly executionId: string | null;
  readonly pos: number | null;
  readonly createdAt: number;
  /** Until when the upload is awaited; null once it is there. */
  readonly until: number | null;
}

/** How much may be stored. */
export interface FileQuota {
  /** Bytes of all files of the account. */
  readonly maxAccountFileBytes: number;
  /** Files that one execution writes. */
  readonly maxFiles: number;
}

/** Files, and which contents they need. A content is *loose* when it may be stored although no file has it. */
export interface FileStore {
  /** Adds an upload, or one that is awaited; PAYLOAD_TOO_LARGE over the quota. */
  addFile(params: { readonly file: StoredFile; readonly quota: FileQuota }): Promise<void>;
  /** Adds what the op of a running execution wrote, once: a repeat returns the first; another file replaces it, whose op never had its answer. CONFLICT when the fence is old, LIMIT_EXCEEDED over the quota. */
  addOutput(params: {
    readonly file: StoredFile;
    readonly lease: Lease;
    readonly quota: FileQuota;
  }): Promise<StoredFile>;
  /** Gives an awaited upload its content; false when none of that size is awaited any more. */
  completeUpload(params: {
    readonly fileId: string;
    readonly hash: string;
    readonly bytes: number;
    readonly now: number;
  }): Promise<boolean>;
  findFile(params: { readonly accountId: string; readonly fileId: string }): Promise<StoredFile | null>;
  /** A file of whatever account, for those who hold a signed link to it. */
  fileOfLink(params: { readonly fileId: string }): Promise<StoredFile | null>;
  /** Newest first, those behind `after`; fewer than `limit` are the last ones. */
  listFiles(params: {
    readonly accountId: string;
    readonly after: Pick<StoredFile, "createdAt" | "id"> | null;
    readonly limit: number;
  }): Promise<readonly StoredFile[]>;
  /** What an execution wrote, in the order of its ops. */
  listOutputs(params: { readonly accountId: string; readonly executionId: string }): Promise<readonly StoredFile[]>;
  /** What the files of an account take, those that are awaited included. */
  fileTotals(params: { readonly accountId: string }): Promise<{ readonly files: number; readonly bytes: number }>;
  /** False when there is none. Its content becomes loose. */
  removeFile(params: { readonly accountId: string; readonly fileId: string }): Promise<boolean>;
  /** Removes uploads that were awaited until before `now`, at most `max`; returns how many. */
  pruneUploads(params: { readonly now: number; readonly max: number }): Promise<number>;
  /** Notes a content that is about to be stored: should nobody take it, it is found again. */
  noteLoose(params: { readonly hash: string }): Promise<void>;
  listLoose(params: { readonly limit: number }): Promise<readonly string[]>;
  isContentUsed(params: { readonly hash: string }): Promise<boolean>;
  forgetLoose(params: { readonly hash: string }): Promise<void>;
}
