import { fail, toWorkflowError, type WorkflowError } from "../errors.ts";
import { cancelled, QueryWorker, type Task, type WorkerOptions } from "./query-worker.ts";

/** What a lane is made with. */
export interface LaneOptions extends Pick<WorkerOptions, "hello" | "temporary"> {
  /** Processes at most; they start when they are needed. */
  readonly processes: number;
}

/** Tasks of one account, and of all, that may wait for a process. */
const MAX_WAITING_OF_ACCOUNT = 250;
const MAX_WAITING = 2_500;

/** A few processes of one kind; accounts take turns when all are busy. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #workers = new Set<QueryWorker>();
  readonly #idle: QueryWorker[] = [];
  /** The account whose turn it is comes first. */
  readonly #waiting = new Map<string, Task[]>();
  #count = 0;
  #closed = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Does a task now or when its account's turn comes. */
  add(accountId: string, task: Task): void {
    const refusal = this.#refusal(accountId);
    if (refusal === null) this.#enqueue(accountId, task);
    else task.reject(refusal);
  }

  #refusal(accountId: string): WorkflowError | null {
    if (this.#closed) return stopping();
    const own = this.#waiting.get(accountId)?.length ?? 0;
    if (own < MAX_WAITING_OF_ACCOUNT && this.#count < MAX_WAITING) return null;
    const limit = own < MAX_WAITING_OF_ACCOUNT ? MAX_WAITING : MAX_WAITING_OF_ACCOUNT;
    return fail("OVERLOADED", { message: `datastore: ${limit} reads wait already; try again shortly`, limit });
  }

  #enqueue(accountId: string, task: Task): void {
    const queue = this.#waiting.get(accountId) ?? [];
    queue.push(task);
    this.#count++;
    this.#waiting.set(accountId, queue);
    this.#next();
  }

  /** Ends the processes; resolves when they are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const queue of this.#waiting.values()) for (const task of queue) task.reject(stopping());
    this.#waiting.clear();
    const gone = [...this.#workers].map((worker) => worker.end(stopping()));
    await Promise.all(gone);
  }

  #next(): void {
    while (this.#count > 0 && (this.#idle.length > 0 || this.#workers.size < this.#options.processes)) {
      const task = this.#take();
      if (task !== null) this.#begin(task);
    }
  }

  #begin(task: Task): void {
    try {
      (this.#idle.pop() ?? this.#start()).run(task);
    } catch (thrown) {
      task.reject(toWorkflowError(thrown));
    }
  }

  #start(): QueryWorker {
    const worker = new QueryWorker({
      ...this.#options,
      onIdle: (idle) => this.#rest(idle),
      onEnd: (ended) => this.#ended(ended),
    });
    this.#workers.add(worker);
    return worker;
  }

  /** The next task that somebody still wants. */
  #take(): Task | null {
    for (const [accountId, queue] of this.#waiting) {
      const task = queue.shift();
      this.#waiting.delete(accountId);
      if (queue.length > 0) this.#waiting.set(accountId, queue);
      this.#count--;
      if (task?.signal?.aborted !== true) return task ?? null;
      task.reject(cancelled());
    }
    return null;
  }

  #rest(worker: QueryWorker): void {
    this.#idle.push(worker);
    this.#next();
    if (this.#idle.includes(worker)) worker.rest();
  }

  #ended(worker: QueryWorker): void {
    this.#workers.delete(worker);
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    if (!this.#closed) this.#next();
  }
}

const stopping = (): WorkflowError => fail("STOPPING");
