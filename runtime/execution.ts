import type { SecretHandle } from "./egress/secret-handles.ts";
import type { ErrorRecord } from "./errors.ts";
import type { AccessoryPart, AccessoryRequest, FileAnswers, FileRequest } from "./file-request.ts";
import type { JournalRecord, OpMeter, ReplayRecord } from "./journal-record.ts";
import type { Limits } from "./limits.ts";
import type { Funds, Reservation, SpendRequest } from "./spending.ts";

export type { JournalRecord, OpMeter };

/** How strictly one execution is kept apart from others of the same version; see ARCHITECTURE.md. */
export type Isolation = "frozen" | "context" | "isolate";

/** Kind of host process: `fast` has the JIT, `hardened` runs jitless under a hard memory cap. */
export type HostProfile = "fast" | "hardened";

/** One `ctx.emit`, numbered from 0 within its execution; both members are JSON texts. */
export interface Chunk {
  readonly index: number;
  /** JSON string literal. `"delta"` chunks made by `ctx.write` have `text: true`. */
  readonly type: string;
  readonly content: string;
  /** True when `ctx.write` made it: its content is answer text. */
  readonly text: boolean;
}

/** One line of `ctx.log` or `console`. */
export interface LogLine {
  readonly index: number;
  readonly level: "debug" | "info" | "warn" | "error";
  /** Guest clock, milliseconds since the epoch. */
  readonly at: number;
  readonly message: string;
  /** JSON text of the fields, or null. */
  readonly fields: string | null;
}

/** Everything a worker needs to run one execution (or to resume it: `replay`). Plain data. */
export interface ExecutionJob {
  /** UUID. */
  readonly executionId: string;
  readonly accountId: string;
  /** Isolates are shared only between executions of the same account and version. */
  readonly versionId: string;
  readonly bundleHash: string;
  readonly profile: HostProfile;
  readonly isolation: Isolation;
  /** True for the retry of a suspect: it gets a host process of its own. */
  readonly alone: boolean;
  readonly limits: Limits;
  /** Seeds the guest's randomness; hex text. */
  readonly seed: string;
  /** Start of the guest's clock, milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds since the epoch; null = no wall limit. Offline it is what the script is told, nothing more. */
  readonly deadlineAt: number | null;
  /** What the deadline comes from, named in its error; null = no wall limit. */
  readonly timeoutMs: number | null;
  /** JSON text of {@link CtxData}. */
  readonly data: string;
  /** Names and values for `ctx.secrets`; never stored. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Names and values to hide; `secrets` when absent. */
  readonly hidden?: Readonly<Record<string, string>>;
  /** Secrets of which the guest has a text only; absent = none. */
  readonly handles?: readonly SecretHandle[];
  /** Hosts `ctx.http` may reach; null = any public host. */
  readonly httpAllow: readonly string[] | null;
  /** Recorded deliveries to feed before anything new is done. */
  readonly replay: readonly ReplayRecord[];
  /** True when nothing is known of an earlier attempt that lost its host or left a promise rejected: the turns of `replay` need not be waited for one by one. */
  readonly isCalm?: boolean;
  /** True for a replay without the world: an op that is not recorded and not pure ends it with REPLAY_DIVERGED; the clock stands at the last delivery. */
  readonly offline?: boolean;
  /** Offline, of a run that waited: the calls it waited for, which are compared and left waiting; any other that is not recorded ends it. Absent = not known. */
  readonly awaited?: readonly AwaitedCall[];
  /** Nesting depth: 0 for a call from outside. */
  readonly depth: number;
  /** True when someone waits to hear that the run is not pure. */
  readonly tellsImpure: boolean;
  /** Present when calls that cost must ask first; `usd`: one of the budgets is in US dollars. */
  readonly budget?: { readonly usd: boolean };
  /** The workflow's bound application, for model routes; null when none. */
  readonly application: string | null;
}

/** The revision at which an execution reads a datastore; base and revision are 0 while it has no records. */
export interface DatastoreAt {
  /** `ds_<32 hex digits>`. */
  readonly id: string;
  /** Number of the file. */
  readonly base: number;
  readonly revision: number;
}

/** The data members of ctx (secrets travel apart). */
export interface CtxData {
  /** Revisions of the datastores that may be read, by name; first, so that a store sees at once whether there are any. The guest has no member of this name. */
  readonly datastores?: Readonly<Record<string, DatastoreAt>>;
  readonly input: unknown;
  readonly messages: readonly unknown[];
  readonly params: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly session_id: string;
  readonly request_id: string;
  readonly workflow_info: {
    readonly ref_name: string;
    readonly version: string | null;
    readonly parent_run?: string;
    readonly depth: number;
  };
  /** Keys of the version's accessories. */
  readonly accessories: readonly string[];
  /** Names of the call's secrets, when it has any: a replay needs them. The guest has no member of this name. */
  readonly secret_names?: readonly string[];
  /** Those of them that are handles. */
  readonly secret_handles?: readonly string[];
  /** Labels → names of stored secrets that its callers have and it has not. */
  readonly inherited_secrets?: Readonly<Record<string, string>>;
  /** Texts → names of handles of its callers. */
  readonly inherited_handles?: Readonly<Record<string, string>>;
}

/** Sums over the finished ops of one execution, metered by the server. */
export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
  /** Ops with an outside effect. */
  readonly ops: number;
  readonly cpuMs: number;
}

/** How one attempt at running a job ended. */
export type ExecutionOutcome =
  | {
      readonly status: "completed";
      /** JSON text of the returned value; null when nothing was returned but `ctx.write` was used. */
      readonly output: string | null;
      /** True when only input, accessories, emit and log were touched, and neither clock nor randomness was read. */
      readonly pure: boolean;
      readonly usage: Usage;
      readonly keepsTail?: boolean;
    }
  /** `keepsTail`: deliveries that nothing durable followed belong to the journal, because a replay needs them. */
  | { readonly status: "failed"; readonly error: ErrorRecord; readonly usage: Usage; readonly keepsTail?: boolean }
  /** Nothing runs until `until` (ms since the epoch; null: no time is known) or until an answer comes; resume by replay then. */
  | {
      readonly status: "waiting";
      readonly until: number | null;
      readonly sleeps: readonly Sleep[];
      /** True when it waits because a budget is used up. */
      readonly isShort: boolean;
      /** What it waits for, in call order; null when that is too much to keep. */
      readonly calls: readonly AwaitedCall[] | null;
      readonly usage: Usage;
    }
  /** The host died under it: run it again from its journal; `alone` when it may have been the cause. */
  | { readonly status: "lost"; readonly suspect: boolean; readonly cause: ErrorRecord };

/** A ctx call that a run waits for without an isolate. */
export interface AwaitedCall {
  readonly pos: number;
  readonly op: string;
  /** As in a {@link JournalRecord}. */
  readonly hash: string;
  /** JSON text without secrets; null when it is long. */
  readonly args: string | null;
}

/** A `ctx.sleep` under way, ms since the epoch; `since` is the guest's clock when it was last looked at. */
export interface Sleep {
  readonly since: number;
  readonly until: number;
}

/** What an op waits for; times are ms since the epoch, `until: null` = no end. */
export type WaitRequest =
  | {
      readonly kind: "event";
      readonly pos: number;
      readonly name: string;
      /** Dotted path into the event's data → the JSON value that must be there; null = any data. */
      readonly match: Readonly<Record<string, unknown>> | null;
      readonly until: number | null;
    }
  /** A decision that an earlier `ask` made possible. */
  | { readonly kind: "approval"; readonly pos: number; readonly id: string; readonly until: number | null }
  | ({ readonly kind: "ask"; readonly pos: number; readonly until: number | null } & ApprovalQuestion);

/** What a person is asked to decide. */
export interface ApprovalQuestion {
  readonly title: string;
  readonly description: string;
  /** JSON Schema or field map of what the person may send along; null = anything. */
  readonly schema: Readonly<Record<string, unknown>> | null;
  /** Shown to the person. */
  readonly data: unknown;
  /** Names of those who may decide by the link; empty = anyone who has it. */
  readonly approvers: readonly string[];
}

/** A nested call made by `ctx.workflow.completions.create`. */
export interface NestedCall {
  readonly parentId: string;
  /** Op position in the parent: with parentId the idempotency key of the child. */
  readonly parentPos: number;
  readonly accountId: string;
  readonly depth: number;
  /** `workflow:<ref>[@version]`. */
  readonly model: string;
  readonly input: unknown;
  readonly messages: readonly unknown[] | undefined;
  readonly secrets: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly sessionId: string;
  readonly noCache: boolean;
  /** The parent's deadline, ms since the epoch. */
  readonly deadlineAt: number | null;
}

/** What a nested call returns to the parent, and what it cost (already charged to the child's own row). */
export interface NestedResult {
  /** JSON text of the `chat.completion` object with `output`. */
  readonly body: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
}

/** A nested execution that waits, because a budget is used up; its caller waits with it. */
export interface NestedParked {
  readonly parked: Funds;
}

/** What the main thread does for a running execution; every method is called on the main thread. */
export interface ExecutionHost {
  /** Records deliveries; resolves once they (and everything recorded before) are durable. `durable: false` need not wait. */
  commit(records: readonly JournalRecord[], durable: boolean): Promise<void>;
  /** Chunks in order; an index below what was seen before is a repeat of a resumed run and must be dropped. */
  chunks(chunks: readonly Chunk[]): void;
  logs(lines: readonly LogLine[]): void;
  /** The script made its first call with an outside or time effect; told where the job asks for it. */
  impure(): void;
  invoke(call: NestedCall): Promise<NestedResult | NestedParked>;
  /** Part of an accessory of this execution's version; throws INVALID_ARGUMENT for an unknown key. */
  accessory(request: AccessoryRequest): Promise<AccessoryPart>;
  /** What `ctx.files` asks; the answer is that of the request's kind. */
  files(request: FileRequest): Promise<FileAnswers[keyof FileAnswers]>;
  /** JSON text of `{ version, definition }` of an agent of the account; INVALID_ARGUMENT for an unknown one. */
  agent(key: string): Promise<string>;
  /** Begins to wait: the answer (JSON text) if it is there already; null: {@link ExecutionHost.waited} has it once it comes. */
  wait(request: WaitRequest): Promise<string | null>;
  /** The answer (JSON text) that the op at `pos` waits for; CONFLICT when the attempt ends before it comes. */
  waited(pos: number): Promise<string>;
  /** Reserves the most that a call may cost, durably, in every budget that applies; waits for reservations that may be released. */
  reserve(request: SpendRequest): Promise<Reservation>;
  /** Resolves when it may be worth to ask again for what was refused; CONFLICT when the attempt ends before. */
  funded(funds: Funds): Promise<void>;
}
