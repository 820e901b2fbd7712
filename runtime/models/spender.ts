import { fail, type WorkflowError } from "../errors.ts";
import { type Cost, costOf, NO_COST, type Spending, type Ticket } from "../spending.ts";
import type { ModelObject } from "./completion.ts";
import type { ResolvedModel } from "./resolve.ts";
import {
  costWithMore,
  greatestCost,
  leastCost,
  mostPromptTokens,
  reportedCost,
  saidBytes,
  worstCase,
} from "./worst-case.ts";

/** What of a request a budget asks for. */
interface SpendingRequest {
  readonly body: Readonly<Record<string, unknown>>;
  readonly spending: Spending | null;
  readonly maxOutputTokens: number;
  readonly signal: AbortSignal;
}

/** What a call that keeps within a budget tells of its attempts; each has a reservation of its own. */
export interface Spender {
  /** Reserves for the next attempt, unless that is done; may wait for long. Throws INVALID_ARGUMENT for a model without a price. */
  ready(): Promise<void>;
  /** The attempt failed; `paid`: it may have cost something all the same. */
  failed(paid: boolean): void;
  /** More of an answer came. */
  saw(chunk: ModelObject): void;
  /** The attempt ended, or its answer broke off: it cost what the upstream said, else what was seen of it at the most. */
  ended(isWhole: boolean): void;
}

const NOTHING_SPENT: Spender = {
  ready: () => Promise.resolve(),
  failed: () => undefined,
  saw: () => undefined,
  ended: () => undefined,
};

const unpriced = ({ api, name }: ResolvedModel): WorkflowError =>
  fail("INVALID_ARGUMENT", {
    message: `${api}: model "${name}" has no price_per_million_tokens in WEFT_MODELS, so a budget in usd cannot hold; give it one (0 if it is free), or limit tokens or calls instead`,
    field: "model",
    model: name,
  });

/** One call's attempts, in the order in which they are made. */
class CallSpender implements Spender {
  readonly #target: ResolvedModel;
  readonly #request: SpendingRequest;
  readonly #spending: Spending;
  readonly #worst: Cost;
  readonly #giveUp = () => this.ended(false);
  #ticket: Ticket | null = null;
  #said = 0;
  #reported: Cost | null = null;
  /** Bytes seen since the upstream last said what it cost so far. */
  #unreported = 0;

  constructor(target: ResolvedModel, request: SpendingRequest, spending: Spending) {
    this.#target = target;
    this.#request = request;
    this.#spending = spending;
    this.#worst = worstCase(target, request.body, request.maxOutputTokens);
    // Whoever gives a call up does not hear its end; what was seen by then is what it cost.
    request.signal.addEventListener("abort", this.#giveUp, { once: true });
  }

  async ready(): Promise<void> {
    if (this.#ticket !== null) return;
    if (this.#spending.usd && !this.#target.route.isPriced) throw unpriced(this.#target);
    this.#ticket = await this.#spending.reserve(this.#worst);
    this.#said = 0;
    this.#reported = null;
    this.#unreported = 0;
    if (!this.#request.signal.aborted) return;
    this.#settle(NO_COST);
    throw this.#request.signal.reason;
  }

  failed(paid: boolean): void {
    this.#settle(paid ? this.#worst : { nanoUsd: 0, tokens: 0, calls: 1 });
  }

  saw(chunk: ModelObject): void {
    const bytes = saidBytes(chunk);
    const reported = reportedCost(this.#target, chunk);
    this.#said += bytes;
    this.#reported = reported ?? this.#reported;
    this.#unreported = reported === null ? this.#unreported + bytes : 0;
  }

  ended(isWhole: boolean): void {
    // The signal may be that of the server, which outlives many calls.
    this.#request.signal.removeEventListener("abort", this.#giveUp);
    // An answer that nobody streams may be made, and paid, to its end although nothing of it came.
    const isUnseen = !isWhole && this.#said === 0;
    if (this.#reported !== null) this.#settle(isWhole ? this.#reported : this.#soFar(this.#reported));
    else this.#settle(isUnseen ? this.#worst : this.#seen());
  }

  /** Some upstreams say at the begin, or in between, what an answer costs that goes on. */
  #soFar(reported: Cost): Cost {
    const most = greatestCost(reported, this.#worst);
    return leastCost(costWithMore(this.#target, reported, this.#unreported), most);
  }

  #seen(): Cost {
    const seen = { prompt: mostPromptTokens(this.#target, this.#request.body), completion: this.#said };
    return leastCost(costOf(seen, this.#target.route), this.#worst);
  }

  #settle(cost: Cost): void {
    this.#ticket?.settle(cost);
    this.#ticket = null;
  }
}

/** The spender of one call; one that does nothing where no budget applies. */
export function createSpender(target: ResolvedModel, request: SpendingRequest): Spender {
  return request.spending === null ? NOTHING_SPENT : new CallSpender(target, request, request.spending);
}
