import type { LiveRun } from "./live-run.ts";

/** The executions that this process answers for. */
export class LiveRuns {
  readonly #byId = new Map<string, LiveRun>();
  readonly #byKey = new Map<string, LiveRun>();
  readonly #byParent = new Map<string, LiveRun>();

  add(run: LiveRun): void {
    const { id, parentId, parentPos } = run.call.execution;
    this.#byId.set(id, run);
    // Nested executions are nobody's twin: two callers could wait for each other's children for ever.
    if (parentId === null) this.#byKey.set(run.call.key, run);
    else this.#byParent.set(`${parentId}:${parentPos}`, run);
  }

  remove(run: LiveRun): void {
    const { id, parentId, parentPos } = run.call.execution;
    this.#byId.delete(id);
    if (parentId !== null) this.#byParent.delete(`${parentId}:${parentPos}`);
    else if (this.#byKey.get(run.call.key) === run) this.#byKey.delete(run.call.key);
  }

  get(executionId: string): LiveRun | null {
    return this.#byId.get(executionId) ?? null;
  }

  /** The latest execution of an identical call that has not ended. */
  twin(key: string): LiveRun | null {
    return this.#byKey.get(key) ?? null;
  }

  /** The execution that a ctx call of `parentId` started. */
  child(parentId: string, parentPos: number): LiveRun | null {
    return this.#byParent.get(`${parentId}:${parentPos}`) ?? null;
  }

  all(): IterableIterator<LiveRun> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }
}
