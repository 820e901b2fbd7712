import { door } from "./door.ts";
import { isFinal, isRetryable, nodeError, toFailure, waitBefore } from "./failure.ts";
import type { Shared } from "./shared.ts";
import { gathered } from "./text.ts";
import type { GraphCtx, Node, NodeRun, Scope, Settled } from "./types.ts";

/** What the attempts of a node need. */
export interface AttemptFacts extends Pick<NodeRun, "id" | "part"> {
  readonly shared: Shared;
  /** Told before each attempt. */
  readonly begins: (attempt: number) => void;
}

function toRun(node: Node, attempt: number, { id, part, shared }: AttemptFacts): NodeRun {
  const { ctx, events, streams } = shared;
  return {
    id,
    attempt,
    timeoutMs: node.timeoutMs ?? null,
    get streams() {
      return streams();
    },
    ctx,
    call: (begin) => door().node(id, begin),
    chunk: (text) => events.chunk(id, text),
    part,
  };
}

type Timer = (handler: () => void, ms: number) => number;
declare const setTimeout: Timer;
declare const clearTimeout: (timer: number) => void;

function timed(id: string, timeoutMs: number, work: Promise<Settled>): Promise<Settled> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const message = `it took longer than ${timeoutMs} ms (timeout of node ${id})`;
      reject(nodeError("UPSTREAM_TIMEOUT", message, { limit: "timeout", value: timeoutMs }));
    }, timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function once(node: Node, scope: Scope, attempt: number, facts: AttemptFacts): Settled | Promise<Settled> {
  facts.begins(attempt);
  const begun = node.run(scope, toRun(node, attempt, facts));
  if (!(begun instanceof Promise) || node.timeoutMs === undefined) return begun;
  return timed(facts.id, node.timeoutMs, begun);
}

interface Patience {
  sleep(ms: number): Promise<void>;
  remaining_ms(): number;
}

async function again(node: Node, scope: Scope, first: unknown, facts: AttemptFacts): Promise<Settled> {
  const { shared, id } = facts;
  const { sleep, remaining_ms: left } = shared.ctx as GraphCtx & Patience;
  let thrown = first;
  for (let attempt = 1; ; attempt++) {
    const most = node.retries ?? shared.retries;
    if (attempt > most || !isRetryable(thrown) || isFinal(thrown)) throw thrown;
    const waitMs = waitBefore(attempt, thrown);
    // A wait that ends with the run would only hide why it failed.
    if (waitMs >= left()) throw thrown;
    shared.events.retry(id, { attempt, waitMs, error: toFailure(thrown) });
    await sleep(waitMs);
    try {
      return await once(node, scope, attempt + 1, facts);
    } catch (error) {
      thrown = error;
    }
  }
}

/** Runs a node, again where it failed in a way that may pass; at once (no promise) where it does nothing that takes time. */
export function attemptsOf(node: Node, scope: Scope, facts: AttemptFacts): Settled | Promise<Settled> {
  if (node.enabled === false) return { value: gathered(scope.upstream) };
  const begun = once(node, scope, 1, facts);
  if (!node.repeats || !(begun instanceof Promise)) return begun;
  return begun.catch((thrown: unknown) => again(node, scope, thrown, facts));
}
