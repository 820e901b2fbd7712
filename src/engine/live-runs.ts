import type { LiveRun } from "./live-run.ts";

/** The executions that this process answers for. */
export class LiveRuns {
  readonly #byId = new Map<string, LiveRun>();
  readonly #byKey = new Map<string, Set<LiveRun>>();
  readonly #byIdempotencyKey = new Map<string, LiveRun>();
  readonly #byParent = new Map<string, LiveRun>();

  add(run: LiveRun): void {
    const { id, accountId, idempotencyKey, parentId, parentPos } = run.call.execution;
    this.#byId.set(id, run);
    if (idempotencyKey !== null) this.#byIdempotencyKey.set(`${accountId}:${idempotencyKey}`, run);
    // Nested executions are nobody's twin: two callers could wait for each other's children for ever.
    if (parentId === null) this.#addTwin(run);
    else this.#byParent.set(`${parentId}:${parentPos}`, run);
  }

  remove(run: LiveRun): void {
    const { id, parentId, parentPos } = run.call.execution;
    this.#byId.delete(id);
    this.#removeKey(run);
    if (parentId !== null) this.#byParent.delete(`${parentId}:${parentPos}`);
    else this.#removeTwin(run);
  }

  get(executionId: string): LiveRun | null {
    return this.#byId.get(executionId) ?? null;
  }

  /** An execution of an identical call that goes on and that `suits`, one that runs already if there is any. */
  twin(key: string, suits: (run: LiveRun) => boolean = () => true): LiveRun | null {
    let first: LiveRun | null = null;
    for (const run of this.#byKey.get(key) ?? []) {
      if (run.stopping !== null || !suits(run)) continue;
      if (run.phase === "running") return run;
      first ??= run;
    }
    return first;
  }

  /** The execution that a ctx call of `parentId` started. */
  child(parentId: string, parentPos: number): LiveRun | null {
    return this.#byParent.get(`${parentId}:${parentPos}`) ?? null;
  }

  /** The execution that an idempotency key of the account stands for, however old it is. */
  keyed(accountId: string, idempotencyKey: string): LiveRun | null {
    return this.#byIdempotencyKey.get(`${accountId}:${idempotencyKey}`) ?? null;
  }

  all(): IterableIterator<LiveRun> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  /** An older execution of the same key may end after a newer one has begun. */
  #removeKey(run: LiveRun): void {
    const { accountId, idempotencyKey } = run.call.execution;
    const key = `${accountId}:${idempotencyKey}`;
    if (idempotencyKey !== null && this.#byIdempotencyKey.get(key) === run) this.#byIdempotencyKey.delete(key);
  }

  #addTwin(run: LiveRun): void {
    const twins = this.#byKey.get(run.call.key);
    if (twins === undefined) this.#byKey.set(run.call.key, new Set([run]));
    else twins.add(run);
  }

  #removeTwin(run: LiveRun): void {
    const twins = this.#byKey.get(run.call.key);
    if (twins?.delete(run) && twins.size === 0) this.#byKey.delete(run.call.key);
  }
}
