import type { Lease, Page } from "../rows.ts";

/** A wait, by what it is known to its execution: the op's position for events, the approval's id for decisions. */
export type WaitKey =
  | { readonly kind: "event"; readonly pos: number }
  | { readonly kind: "approval"; readonly id: string };

/** What an execution begins to wait for. */
export type NewWait =
  | {
      readonly kind: "event";
      readonly pos: number;
      readonly name: string;
      /** Dotted path into the event's data → the JSON value that must be there; null = any data. */
      readonly match: Readonly<Record<string, unknown>> | null;
      readonly until: number | null;
    }
  | { readonly kind: "approval"; readonly id: string };

/** How far a wait is; `answer` is JSON text. */
export type WaitStatus =
  | { readonly status: "open" }
  | { readonly status: "answered"; readonly answer: string }
  | { readonly status: "expired" };

/** Something that an execution waits for, as its run object shows it. */
export interface OpenWait {
  readonly kind: "event" | "approval";
  /** Name of the event, or title of the approval. */
  readonly name: string;
  readonly since: number;
  readonly until: number | null;
  /** Id of the approval; null for events. */
  readonly approvalId: string | null;
}

/** An answer for an execution that runs now: its holder hands it on. */
export interface LiveAnswer {
  readonly executionId: string;
  readonly wait: WaitKey;
  /** JSON text. */
  readonly answer: string;
}

/** A question to a person; made once per position of its execution. */
export interface NewApproval {
  /** UUID. */
  readonly id: string;
  readonly pos: number;
  readonly title: string;
  /** JSON text of what only the page and the check of a decision need. */
  readonly detail: string;
  readonly createdAt: number;
  readonly until: number | null;
}

/** A stored question. */
export interface Approval extends NewApproval {
  readonly accountId: string;
  readonly executionId: string;
  readonly ref: string;
  /** `expired`: its time passed without a decision; `over`: its execution ended without one. */
  readonly status: "open" | "decided" | "expired" | "over";
  /** JSON text of the decision; null while there is none. */
  readonly decision: string | null;
}

/** Waits and questions of executions. Answers that were given are kept until their execution has recorded them. */
export interface WaitStore {
  /** Opens a wait of a running execution, or finds it as an earlier attempt left it; takes the oldest kept event that matches. CONFLICT when the fence is old; INVALID_ARGUMENT when the execution asked no such question; LIMIT_EXCEEDED over `maxOpen` open ones of the execution. */
  openWait(params: {
    readonly lease: Lease;
    readonly wait: NewWait;
    readonly maxOpen: number;
    readonly now: number;
  }): Promise<WaitStatus>;
  /** Ends waits whose outcome the journal has; called along with the append, so that both become durable together. Nothing happens when the fence is old. */
  closeWaits(params: {
    readonly lease: Lease;
    readonly waits: readonly WaitKey[];
    readonly now: number;
  }): Promise<void>;
  /** What an execution waits for, in the order of its calls. */
  listWaits(params: { readonly accountId: string; readonly executionId: string }): Promise<readonly OpenWait[]>;
  /** Adds a question, or finds the one that an earlier attempt asked at the same position. CONFLICT and LIMIT_EXCEEDED as for `openWait`. */
  openApproval(params: {
    readonly lease: Lease;
    readonly approval: NewApproval;
    readonly maxOpen: number;
  }): Promise<{ readonly id: string; readonly until: number | null; readonly createdAt: number }>;
  /** Open questions, oldest first. */
  listApprovals(params: {
    readonly accountId: string;
    readonly now: number;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Approval>>;
  /** A question of the account; `accountId: null` = of any, for the holder of its link. */
  findApproval(params: {
    readonly accountId: string | null;
    readonly approvalId: string;
    readonly now: number;
  }): Promise<Approval | null>;
  /** Records the decision of an open question (JSON text) and makes its execution claimable if it is parked; null when the question is not open. */
  decideApproval(params: {
    readonly accountId: string | null;
    readonly approvalId: string;
    readonly decision: string;
    readonly now: number;
  }): Promise<{ readonly live: LiveAnswer | null } | null>;
}
