import type {
  AwaitedCall,
  Bundle,
  Chunk,
  ErrorRecord,
  HostProfile,
  Isolation,
  JournalRecord,
  Limits,
  LogLine,
  SourceFile,
  Usage,
} from "../../runtime/index.ts";

/** Version of the format; a reader refuses others. */
export const RECORDING_FORMAT = 1;

/** How the recorded execution ended, or that it has not. */
export type RecordedEnd =
  | { readonly status: "completed"; readonly output: string }
  | { readonly status: "failed" | "cancelled"; readonly error: ErrorRecord }
  | { readonly status: "queued" | "running" }
  /** `calls`: what it waited for, where that is known. */
  | { readonly status: "waiting"; readonly calls?: readonly AwaitedCall[] };

/** First line of a recording: everything about the execution that is not a list. Times are ms since the epoch. */
export interface RecordingHead {
  readonly type: "recording";
  readonly format: typeof RECORDING_FORMAT;
  readonly execution: {
    /** UUID. */
    readonly id: string;
    readonly ref: string;
    readonly version: string;
    readonly createdAt: number;
    /** Start of the guest's clock. */
    readonly startedAt: number;
    readonly usage: Usage;
    readonly end: RecordedEnd;
    /** Names of the secrets it was called with; their values are stored nowhere. */
    readonly secretNames: readonly string[];
  };
  /** What the run needs besides its data. */
  readonly job: {
    readonly seed: string;
    readonly depth: number;
    readonly deadlineAt: number | null;
    readonly limits: Limits;
    readonly isolation: Isolation;
    readonly profile: HostProfile;
    readonly application: string | null;
    readonly httpAllow: readonly string[] | null;
    /** JSON text of CtxData. */
    readonly data: string;
  };
}

/** One line of a recording; it is JSON text, one object a line, in this order. */
export type RecordingLine =
  | RecordingHead
  | ({ readonly type: "bundle"; readonly sources: readonly SourceFile[] } & Bundle)
  | { readonly type: "accessory"; readonly key: string; readonly base64: string }
  | { readonly type: "delivery"; readonly record: JournalRecord }
  | { readonly type: "chunk"; readonly chunk: Chunk }
  | { readonly type: "log"; readonly line: LogLine }
  /** Last line: without it the file was cut off. */
  | { readonly type: "end"; readonly lines: number };

/** A recording in memory. */
export interface Recording {
  readonly head: RecordingHead;
  readonly bundle: Bundle;
  readonly sources: readonly SourceFile[];
  readonly accessories: ReadonlyMap<string, Uint8Array>;
  readonly records: readonly JournalRecord[];
  readonly chunks: readonly Chunk[];
  readonly logs: readonly LogLine[];
}
