import type { Chunk, JournalRecord, LogLine, ReplayRecord } from "../../../runtime/index.ts";
import type { Lease } from "../rows.ts";

/** What an execution recorded: deliveries, chunks and log lines. */
export interface JournalStore {
  /** Appends deliveries; throws CONFLICT when the fence is old or a seq is not the next. */
  appendJournal(params: { readonly lease: Lease; readonly records: readonly JournalRecord[] }): Promise<void>;
  readJournal(params: { readonly executionId: string }): Promise<readonly JournalRecord[]>;
  /** The deliveries as an attempt replays them, without their arguments: those of a long chat are many times what is stored. */
  readReplay(params: { readonly executionId: string }): Promise<readonly ReplayRecord[]>;
  /** Appends chunks and log lines; an index already stored is skipped. Refuses silently when the fence is old. */
  appendOutput(params: {
    readonly lease: Lease;
    readonly chunks: readonly Chunk[];
    readonly logs: readonly LogLine[];
  }): Promise<void>;
  readChunks(params: {
    readonly executionId: string;
    readonly from: number;
    readonly limit: number;
  }): Promise<readonly Chunk[]>;
  /** False when no stored log line has a message that begins so; true also for a log that is too large to look through. */
  mayHaveLog(params: { readonly executionId: string; readonly beginning: string }): Promise<boolean>;
  readLogs(params: {
    readonly executionId: string;
    readonly from: number;
    readonly limit: number;
  }): Promise<readonly LogLine[]>;
}
