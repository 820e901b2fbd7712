import type { NewExecution, Store } from "../store/store.ts";
import type { Bells } from "./bells.ts";
import type { News } from "./news.ts";
import type { ExecutionState } from "./types.ts";

/** Who is told of changes. */
export interface Observers {
  readonly bells: Bells;
  readonly news: News;
}

type Status = ExecutionState["status"];
type Known = Pick<NewExecution, "id" | "accountId" | "ref">;

/** Tells whoever watches, once a change is durable; costs next to nothing while nobody does. */
class Teller {
  readonly #observers: Observers;
  /** Executions that this process holds: their leases do not say whose they are. */
  readonly #held = new Map<string, Known>();

  constructor(observers: Observers) {
    this.#observers = observers;
  }

  hold({ id, accountId, ref }: NewExecution): void {
    this.#held.set(id, { id, accountId, ref });
  }

  release(id: string): Known | undefined {
    const known = this.#held.get(id);
    this.#held.delete(id);
    return known;
  }

  /** Passes `done` on and calls `tell` with its value, if anyone wants to know. */
  after<T>(done: Promise<T>, tell: (value: T) => void): Promise<T> {
    const { bells, news } = this.#observers;
    if (bells.isIdle && news.isIdle) return done;
    return done.then((value) => {
      tell(value);
      return value;
    });
  }

  tell(known: Known | undefined, status: Status): void {
    if (known === undefined) return;
    const { id: executionId, accountId, ref } = known;
    this.#observers.news.publish({ accountId, executionId, ref, status });
    this.ring(executionId);
  }

  ring(executionId: string): void {
    this.#observers.bells.ring(executionId);
  }
}

function observedStarts(store: Store, teller: Teller): Partial<Store> {
  return {
    enqueue: (params) =>
      teller.after(store.enqueue(params), ({ execution, created }) => {
        if (created) teller.tell(execution, "queued");
      }),
    enqueueFork: (params) => teller.after(store.enqueueFork(params), () => teller.tell(params.execution, "queued")),
    resumeExecution: (params) =>
      teller.after(store.resumeExecution(params), (resumed) => teller.tell(resumed ?? undefined, "queued")),
    startExecution(params) {
      teller.hold(params.execution);
      return teller.after(store.startExecution(params), () => teller.tell(params.execution, "running"));
    },
    async claim(params) {
      const claimed = await store.claim(params);
      for (const execution of claimed) {
        teller.hold(execution);
        teller.tell(execution, "running");
      }
      return claimed;
    },
  };
}

function observedEnds(store: Store, teller: Teller): Partial<Store> {
  /** The holder lets go of it, whatever the store says: it is asked once. */
  const letGo = <T>(executionId: string, done: Promise<T>, statusOf: (value: T) => Status | null): Promise<T> => {
    const known = teller.release(executionId);
    return teller.after(done, (value) => {
      const status = statusOf(value);
      if (status !== null) teller.tell(known, status);
    });
  };
  const ifDone = (status: Status) => (isDone: boolean) => (isDone ? status : null);
  const parked = (outcome: "lost" | "parked" | "ready") => (outcome === "lost" ? null : "waiting");
  return {
    recordExecution: (params) =>
      teller.after(store.recordExecution(params), () => teller.tell(params.execution, params.ending.status)),
    recordHits: (params) =>
      teller.after(store.recordHits(params), () => {
        for (const { execution } of params.hits) teller.tell(execution, "completed");
      }),
    completeExecution: (params) =>
      letGo(params.lease.executionId, store.completeExecution(params), ifDone(params.ending.status)),
    waitExecution: (params) => letGo(params.lease.executionId, store.waitExecution(params), parked),
    retryExecution: (params) => letGo(params.lease.executionId, store.retryExecution(params), ifDone("queued")),
    async cancelExecution(params) {
      const isAsked = await store.cancelExecution(params);
      const { accountId, executionId } = params;
      const found = isAsked ? await store.findExecution({ accountId, executionId }) : null;
      if (found !== null && "finishedAt" in found.state) teller.tell(found, found.state.status);
      return isAsked;
    },
  };
}

/** The store as the engine uses it: its readers hear of what changes. */
export function observeStore(store: Store, observers: Observers): Store {
  const teller = new Teller(observers);
  return {
    ...store,
    ...observedStarts(store, teller),
    ...observedEnds(store, teller),
    appendJournal: (params) => teller.after(store.appendJournal(params), () => teller.ring(params.lease.executionId)),
    appendOutput: (params) => teller.after(store.appendOutput(params), () => teller.ring(params.lease.executionId)),
    async renew(params) {
      const answers = await store.renew(params);
      for (const [index, answer] of answers.entries()) {
        const lease = answer === "lost" ? params.leases[index] : undefined;
        if (lease !== undefined) teller.release(lease.executionId);
      }
      return answers;
    },
  };
}
