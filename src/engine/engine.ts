import type { Chunk, ErrorRecord, Usage } from "../../runtime/index.ts";
import type { ForkRequest } from "./fork-request.ts";
import type { NewsReader } from "./news.ts";
import type { RunDetail, TracePage, TraceQuery } from "./run-detail.ts";
import type { RunPage, RunQuery } from "./run-list.ts";
import type { Amounts, CallWebhook, Execution, ExecutionMode, LogLine, Shortage, Version, Workflow } from "./types.ts";

/** What a caller may ask of the result cache. */
export type CacheMode = "default" | "no-store" | "reload";

/** One call, whatever dialect it came in. */
export interface InvokeRequest {
  readonly accountId: string;
  readonly ref: string;
  /** Version number text; null = the active version. */
  readonly version: string | null;
  /** undefined = the caller sent none (ctx.input is null then). */
  readonly input: unknown;
  readonly messages: readonly unknown[];
  readonly params: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly sessionId: string | null;
  readonly requestId: string;
  /** null = as the workflow's `executionMode` says. */
  readonly mode: Exclude<ExecutionMode, "nested"> | null;
  readonly cache: CacheMode;
  /** Asked-for wall limit; the workflow's own is the ceiling. */
  readonly timeoutMs: number | null;
  /** True: `timeoutMs` stands in for the workflow's own; the server's limit stays the ceiling. */
  readonly timeoutReplaces?: boolean;
  readonly onDisconnect: "continue" | "cancel" | null;
  /** True when the client says this is a repeat (x-stainless-retry-count ≥ 1): joins the identical run in flight. */
  readonly retry: boolean;
  /** Who is told when its execution ends or waits; null = nobody but the account's endpoints. */
  readonly webhook: CallWebhook | null;
  /** From -100 to 100, higher first; for calls that wait in the queue. */
  readonly priority: number;
  /** Not before this time, ms since the epoch; null = at once. Background only. */
  readonly runAt: number | null;
  /** The most that the execution and those it calls may spend; the script's own budget stays the ceiling. */
  readonly budget?: Amounts | null;
  /** Name of the API key that calls: its daily pool pays, if it has one. */
  readonly key?: string | null;
  /** Account-wide idempotency key (the `Idempotency-Key` header); null = none. */
  readonly idempotencyKey: string | null;
}

/** How a finished execution is shown to its caller. */
export type ExecutionResult =
  | {
      readonly status: "completed";
      /** JSON text of the output. */
      readonly output: string;
      /** Answer text: the returned string as is, else the JSON text; the joined `ctx.write` text when nothing was returned. */
      readonly content: string;
      readonly usage: Usage;
      /** True when `ctx.write` streamed the answer text, so the final frame must not repeat it. */
      readonly streamedText: boolean;
    }
  /** `shortage`: it has not ended but waits for money, which `error` says. */
  | { readonly status: "failed" | "cancelled"; readonly error: ErrorRecord; readonly shortage?: Shortage };

/** A started (or joined, or cached) execution. */
export interface Invocation {
  readonly executionId: string;
  readonly workflow: Workflow;
  readonly version: Version;
  readonly sessionId: string;
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** How this caller is answered: what it asked for, else what the workflow says. */
  readonly mode: ExecutionMode;
  readonly cache: "hit" | "miss" | "bypass";
  /** True when the call was merged into an execution that still waits. */
  readonly debounced: boolean;
  /** What the script's config or the request says; `continue` by default. */
  readonly onDisconnect: "continue" | "cancel";
  /** Settles when the execution ends, or (unless called in the background) waits for money; never rejects. */
  readonly result: Promise<ExecutionResult>;
  /** Calls `listener` with all chunks so far (from index `from` on, default 0) and then with each new batch, in order, before `result` settles. Returns the unsubscribe function. */
  subscribe(listener: (chunks: readonly Chunk[]) => void, from?: number): () => void;
  /** Stops the execution; resolves when it has ended. */
  cancel(): Promise<void>;
}

/** One reader's view of a run: pulled, so that a slow reader costs no memory. */
export interface RunWatch {
  /** Chunks from an index on, those that are not yet stored too; none when there are no more so far. */
  chunks(from: number, limit: number): Promise<readonly Chunk[]>;
  /** The run now. EXECUTION_NOT_FOUND once it was deleted. */
  run(): Promise<Execution>;
  /** How it ended; null while it goes on. */
  result(): Promise<ExecutionResult | null>;
  /** Resolves when something may have changed since the last call, and at once after close. */
  changed(): Promise<void>;
  close(): void;
}

/** Everything a dialect may ask: translate, call, render. Throws WorkflowError for all that is known before a run. */
export interface Engine {
  invoke(request: InvokeRequest): Promise<Invocation>;
  /** Id and data (JSON of its ctx data) of the execution that an idempotency key stands for; null when the key is new or too old. */
  findKeyed(params: {
    readonly accountId: string;
    readonly idempotencyKey: string;
  }): Promise<Pick<Execution, "id" | "data"> | null>;
  findExecution(params: { readonly accountId: string; readonly executionId: string }): Promise<Execution>;
  /** Newest first; INVALID_REQUEST for a cursor that this list did not give, WORKFLOW_NOT_FOUND. */
  listExecutions(params: RunQuery): Promise<RunPage>;
  /** Everything about one run. */
  describeRun(params: { readonly accountId: string; readonly executionId: string }): Promise<RunDetail>;
  /** Its ctx calls, in the order in which they ended. */
  readTrace(query: TraceQuery): Promise<TracePage>;
  /** One reader's view of a run, from any time on. */
  watchRun(params: { readonly accountId: string; readonly executionId: string }): Promise<RunWatch>;
  /** Changes of status of all runs of an account, from now on or after the one named `lastId`. */
  followNews(params: { readonly accountId: string; readonly lastId: string | null }): NewsReader;
  readLogs(params: {
    readonly accountId: string;
    readonly executionId: string;
    readonly from: number;
    readonly limit: number;
  }): Promise<readonly LogLine[]>;
  readChunks(params: {
    readonly accountId: string;
    readonly executionId: string;
    readonly from: number;
    readonly limit: number;
  }): Promise<readonly Chunk[]>;
  /** Starts an execution that shares the recorded beginning of another one and pays only for what follows; resolves to its id. */
  fork(request: ForkRequest): Promise<string>;
  /** Removes a run with what it recorded, the runs it called and the cached results of their calls; one that goes on is cancelled first. CONFLICT for a run whose caller goes on. */
  remove(params: { readonly accountId: string; readonly executionId: string }): Promise<void>;
  cancel(params: { readonly accountId: string; readonly executionId: string }): Promise<void>;
  /** Lets a failed execution go on from its failed op, on the same journal; CONFLICT for others. */
  resume(params: { readonly accountId: string; readonly executionId: string }): Promise<void>;
  /** True while new work is accepted. */
  ready(): boolean;
  /** Stops accepting, waits up to `graceMs` for running executions, leaves the rest to be resumed at the next start. */
  stop(graceMs: number): Promise<void>;
}
