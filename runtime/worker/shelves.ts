import type { ExecutionJob } from "../execution.ts";
import { Shelf, type ShelvedBytes } from "./shelf.ts";

/** How long calls go on without an attempt that wants them, ms. */
export const SHELF_MS = 5_000;

interface Waiting {
  readonly shelf: Shelf;
  readonly timer: NodeJS.Timeout;
}

/** The shelves of one worker whose executions have no attempt under way here, by execution. */
export class Shelves {
  readonly #bytes: ShelvedBytes = { total: 0 };
  readonly #waiting = new Map<string, Waiting>();

  /** The shelf of an execution for the attempt that begins; the calls on it are now the attempt's to end. */
  take({ executionId }: ExecutionJob): Shelf {
    const waiting = this.#waiting.get(executionId);
    if (waiting === undefined) return new Shelf(this.#bytes);
    clearTimeout(waiting.timer);
    this.#waiting.delete(executionId);
    return waiting.shelf;
  }

  /** Keeps a shelf until the next attempt, but not beyond {@link SHELF_MS} or the deadline. False: it is empty. */
  keep({ executionId, deadlineAt }: ExecutionJob, shelf: Shelf): boolean {
    if (shelf.size === 0) return false;
    const left = deadlineAt === null ? SHELF_MS : Math.min(SHELF_MS, deadlineAt - Date.now());
    const timer = setTimeout(() => this.drop(executionId), Math.max(0, left)).unref();
    this.#waiting.set(executionId, { shelf, timer });
    return true;
  }

  /** Aborts the calls of an execution that will not go on. */
  drop(executionId: string): void {
    const waiting = this.#waiting.get(executionId);
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(executionId);
    waiting.shelf.clear();
  }

  /** Aborts all. */
  close(): void {
    for (const executionId of this.#waiting.keys()) this.drop(executionId);
  }
}
