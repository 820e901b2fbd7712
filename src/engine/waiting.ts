import type { Verdict } from "./approval-decision.ts";
import type { Approval, OpenWait, Page } from "./types.ts";

/** An event as someone sends it. */
export interface EventRequest {
  readonly accountId: string;
  readonly name: string;
  readonly data: unknown;
  /** The sender's own id: within 24 hours the same event is sent once. */
  readonly id: string | null;
  /** How long it is kept for waits that begin later, ms; null = until its execution ends, or not at all when it is for the account. */
  readonly ttlMs: number | null;
  /** The only execution it is for; null = all of the account. */
  readonly executionId: string | null;
}

/** What became of an event. */
export interface SentEvent {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Executions whose wait it fulfilled. */
  readonly reached: number;
  /** True when the same event had been sent before. */
  readonly repeated: boolean;
}

/** A question, and the link to its page while that works. */
export interface ShownApproval extends Approval {
  readonly link: string | null;
}

/** What the holder of a link finds: a question, or why there is none. */
export type LinkTarget = ShownApproval | "unknown" | "expired";

/** Something that an execution waits for, and the link to decide it. */
export interface ShownWait extends OpenWait {
  readonly link: string | null;
}

/** Events, questions to people, and who waits for them. */
export interface WaitingService {
  /** Sends an event; resolves once it is durable and all who wait for it have it. INVALID_REQUEST, PAYLOAD_TOO_LARGE, EXECUTION_NOT_FOUND, CONFLICT (the run is over, or the id was used for another event), RATE_LIMITED (too many are kept). */
  send(request: EventRequest): Promise<SentEvent>;
  /** What an execution waits for, sleeps aside. */
  waitsOf(params: { readonly accountId: string; readonly executionId: string }): Promise<readonly ShownWait[]>;
  /** Open questions, oldest first. */
  approvals(params: {
    readonly accountId: string;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<ShownApproval>>;
  /** NOT_FOUND when the account has no such question. */
  approval(params: { readonly accountId: string; readonly approvalId: string }): Promise<ShownApproval>;
  /** The question of a link. */
  approvalOfLink(token: string): Promise<LinkTarget>;
  /** Decides an open question; the decision is durable when this resolves. CONFLICT when it is not open any more; INVALID_REQUEST, PAYLOAD_TOO_LARGE or VALIDATION_ERROR name the field. */
  decide(approval: ShownApproval, verdict: Verdict): Promise<ShownApproval>;
}
