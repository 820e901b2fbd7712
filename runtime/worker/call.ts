import type { Scope } from "../capabilities/capability.ts";
import { findOp } from "../capabilities/index.ts";
import type { Completion, Handler } from "../interceptors/interceptor.ts";

/** Who gets what comes of a call: the attempt that waits for it, or the shelf that keeps it for the next one. */
export interface CallOwner {
  part(call: Call, json: string): void;
  ended(call: Call, completion: Completion): void;
  /** Counts bytes of a result under way; throws LIMIT_EXCEEDED when there are too many. */
  hold(call: Call, bytes: number): void;
  /** The call can now be waited for without an isolate. */
  parks(call: Call): void;
}

/** How a call is begun. */
export interface CallStart {
  readonly dispatch: Handler;
  readonly scope: Scope;
  /** Guest clock, ms since the epoch. */
  readonly now: number;
  /** Parts that the guest has seen already. */
  readonly delivered: readonly string[];
}

const noMeter = () => undefined;
/** One reason for all: making an error with its stack for every run that ends would cost more than the run's end. */
const ENDED = new DOMException("The execution has ended, was stopped, or gave the call up.", "AbortError");

/** One op of the guest, from its post to its completion; it may outlive the attempt that began it. */
export class Call {
  readonly pos: number;
  readonly op: string;
  readonly hash: string;
  /** JSON text. */
  readonly args: string;
  /** Id of the graph's node that it counts for; empty for none. */
  readonly node: string;
  /** Until when it needs no isolate, ms since the epoch (Infinity: no end is known); null while it needs one. */
  until: number | null = null;
  /** True while it waits for want of money. */
  isShort = false;
  /** True for ops with an effect outside. */
  readonly outside: boolean;
  /** True for ops that are not to be sent twice. */
  readonly sends: boolean;
  readonly #abort = new AbortController();
  #owner: CallOwner | null = null;
  /** Bytes of its result under way. */
  heldBytes = 0;
  /** Parts it has given to its owners, and those that were delivered before it began. */
  parts = 0;

  constructor(pos: number, op: string, args: string, { hash, node }: { readonly hash: string; readonly node: string }) {
    this.pos = pos;
    this.op = op;
    this.args = args;
    this.hash = hash;
    this.node = node;
    const known = findOp(op);
    this.outside = known?.effect === "outside";
    this.sends = known?.sends === true;
  }

  get begun(): boolean {
    return this.#owner !== null;
  }

  /** Runs it for `owner`; settles when the owner has its completion. */
  async begin(owner: CallOwner, { dispatch, scope, now, delivered }: CallStart): Promise<void> {
    this.#owner = owner;
    this.parts = delivered.length;
    const { pos, op: name, args } = this;
    const completion = await dispatch({
      pos,
      name,
      args,
      now,
      scope,
      signal: this.#abort.signal,
      delivered,
      meter: noMeter,
      hold: (bytes) => {
        this.heldBytes += bytes;
        this.#owner?.hold(this, bytes);
      },
      park: (until, isShort = false) => {
        this.until = until;
        this.isShort = isShort;
        if (until !== null) this.#owner?.parks(this);
      },
      part: (json) => {
        this.parts++;
        this.#owner?.part(this, json);
      },
    });
    this.#owner?.ended(this, completion);
  }

  /** From now on `owner` gets what comes of it. */
  handTo(owner: CallOwner): void {
    this.#owner = owner;
  }

  abort(): void {
    this.#abort.abort(ENDED);
  }
}
