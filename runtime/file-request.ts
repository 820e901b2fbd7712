/** A file as a script sees it. */
export interface FileInfo {
  /** `file_<32 hex digits>`. */
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  readonly content_type: string;
}

/** Part of an accessory that is asked for, in bytes. */
export interface AccessoryRequest {
  readonly key: string;
  readonly offset: number;
  readonly length: number;
}

/** Part of an accessory; fewer bytes than were asked for at its end. `total`: those of all of it. */
export interface AccessoryPart {
  readonly bytes: Uint8Array;
  readonly total: number;
}

/** Part of a file's content; `bytes` may be fewer than were asked for at its end. */
export interface FilePart {
  readonly info: FileInfo;
  readonly bytes: Uint8Array;
}

/** What an op on files asks of the main thread. */
export type FileRequest =
  | { readonly kind: "stat"; readonly id: string }
  | { readonly kind: "read"; readonly id: string; readonly offset: number; readonly length: number }
  /** What ops before `pos` wrote. */
  | { readonly kind: "list"; readonly pos: number }
  /** Keeps part of a file that is about to be written. */
  | { readonly kind: "piece"; readonly pos: number; readonly bytes: Uint8Array }
  /** Parts of a file that was written by an earlier attempt. */
  | { readonly kind: "forget"; readonly pieces: readonly number[] }
  | {
      readonly kind: "write";
      readonly pos: number;
      readonly name: string;
      readonly contentType: string;
      /** The content, or the positions of the ops that brought the pieces that it is made of. */
      readonly content: Uint8Array | readonly number[];
    };

/** What the main thread answers. */
export interface FileAnswers {
  readonly stat: FileInfo;
  readonly read: FilePart;
  readonly list: readonly FileInfo[];
  /** Its position. */
  readonly piece: number;
  readonly forget: null;
  readonly write: FileInfo;
}

/** A request of one kind. */
export type FileRequestOf<K extends keyof FileAnswers> = Extract<FileRequest, { readonly kind: K }>;

/** Asks the main thread. INVALID_ARGUMENT for a file that the account does not have, LIMIT_EXCEEDED naming the limit. */
export type AskFiles = <K extends keyof FileAnswers>(
  request: FileRequestOf<K> & { readonly kind: K },
) => Promise<FileAnswers[K]>;
