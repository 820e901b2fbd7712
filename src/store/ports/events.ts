import type { LiveAnswer } from "./waits.ts";

/** Something that happened outside, told to the executions that wait for it. */
export interface NewEvent {
  readonly accountId: string;
  readonly name: string;
  /** The sender's own id, or one made for it. */
  readonly id: string;
  /** JSON text. Scripts get `{ name, data, id, at }`. */
  readonly data: string;
  /** The only execution it is for; null = all of the account. */
  readonly executionId: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Until when it is kept for waits that begin later; null = until its execution ends. Not after `at` = not kept. */
  readonly keepUntil: number | null;
}

/** How far an event has reached. */
export interface Sending {
  /** Key of the event for `continueEvent`. */
  readonly event: number;
  readonly id: string;
  readonly at: number;
  /** Executions that it reached so far. */
  readonly reached: number;
  /** Answers for executions that run now. */
  readonly live: readonly LiveAnswer[];
  /** False: there are more waits to look at, with `continueEvent`. */
  readonly done: boolean;
  /** True when it had been sent before under the same id. */
  readonly repeated: boolean;
}

/** Events and their delivery to waits. Parked executions that one reaches become claimable. */
export interface EventStore {
  /** Sends an event to the first `max` of the waits that are open now, in the order in which they were opened; each execution gets it once, for its first wait that matches. With `idUntil` the id is remembered until then: the same event again answers as before, another one under the same id is a CONFLICT. EXECUTION_NOT_FOUND; CONFLICT when the execution is over; RATE_LIMITED when `maxKept`, or 16 MiB, of its name are kept. */
  sendEvent(params: {
    readonly event: NewEvent;
    readonly idUntil: number | null;
    readonly max: number;
    readonly maxKept: number;
  }): Promise<Sending>;
  /** Goes on with an event; null when it is done. */
  continueEvent(params: {
    readonly event: number;
    readonly max: number;
    readonly now: number;
  }): Promise<Sending | null>;
  /** Events that an earlier process left half sent, oldest first. */
  unfinishedEvents(): Promise<readonly { readonly event: number; readonly accountId: string; readonly name: string }[]>;
  /** Removes up to about `max` rows of what is no longer needed: expired events and remembered ids; returns how many. */
  pruneEvents(params: { readonly now: number; readonly max: number }): Promise<number>;
}
