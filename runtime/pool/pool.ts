import { Piscina, type PiscinaTask, queueOptionsSymbol } from "piscina";
import { type ErrorRecord, fail, toRecord, toWorkflowError } from "../errors.ts";
import type { ExecutionHost } from "../execution.ts";
import type { RunOutcome } from "../worker/run-options.ts";
import { SHELF_MS } from "../worker/shelves.ts";
import { type DownMessage, type HostFacts, type Link, openLink, type UpMessage } from "./link.ts";
import type { PoolTask, WorkerHello, WorkerSettings } from "./worker.ts";

/** Settings of the pool. */
export interface PoolOptions extends WorkerSettings {
  readonly workers: number;
  loadBundle(hash: string): Promise<string | null>;
}

/** A run under way: who answers it, and who waits for it. */
interface PoolRun {
  readonly host: ExecutionHost;
  readonly ended: PromiseWithResolvers<RunOutcome>;
}

interface HostsReport {
  readonly hosts: readonly HostFacts[];
  readonly replaced: number;
}

/** One worker thread, as the main thread sees it. */
interface Worker {
  readonly threadId: number;
  readonly link: Link<DownMessage>;
  report: HostsReport;
  readonly ready: PromiseWithResolvers<void>;
  readonly closed: PromiseWithResolvers<void>;
}

/** Executions wait on models for seconds: a worker takes as many as come; the engine's admission is the limit. */
const TASKS_PER_WORKER = 1_000_000;
const CLOSE_MS = 2_000;

/** Where a task should go: the thread that keeps calls of its execution, if there is one. */
interface Placement {
  readonly home: number | undefined;
}

interface Home {
  readonly threadId: number;
  readonly timer: NodeJS.Timeout;
}

interface Candidate {
  readonly id: number;
  readonly currentUsage: number;
}

/** The task's home, else the least busy worker. */
function place<W extends Candidate>(task: PiscinaTask, workers: readonly W[]): W | null {
  const { home } = task[queueOptionsSymbol] as Placement;
  let found: W | null = null;
  for (const worker of workers) {
    if (worker.id === home) return worker;
    if (found === null || worker.currentUsage < found.currentUsage) found = worker;
  }
  return found;
}

/** The worker threads of the server, and what they ask of it. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #piscina: Piscina;
  readonly #workers: Worker[] = [];
  /** The runs under way, by execution id. */
  readonly #runs = new Map<string, PoolRun>();
  /** Threads that keep calls of executions between two attempts, by execution id. */
  readonly #homes = new Map<string, Home>();
  readonly #connected = Promise.withResolvers<void>();

  private constructor(options: PoolOptions) {
    this.#options = options;
    const { workers, source, models, allowPrivate, warm } = options;
    this.#piscina = new Piscina({
      filename: new URL("./thread.mjs", import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: TASKS_PER_WORKER,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: "disabled",
      loadBalancer: place,
      workerData: { source, models, allowPrivate, warm } satisfies WorkerSettings,
    });
    this.#piscina.on("message", (message: WorkerHello | { readonly weftPort?: never }) => {
      if (message.weftPort !== undefined) this.#connect(message);
    });
    this.#piscina.on("error", this.#connected.reject);
  }

  /** Starts the workers and resolves when each has its host processes. */
  static async start(options: PoolOptions): Promise<Pool> {
    const pool = new Pool(options);
    await pool.#connected.promise;
    await Promise.all(pool.#workers.map((worker) => worker.ready.promise));
    return pool;
  }

  /** Number of runs under way. */
  get running(): number {
    return this.#runs.size;
  }

  /** Host processes of all workers, and how many were replaced so far. */
  get report(): HostsReport {
    return {
      hosts: this.#workers.flatMap((worker) => worker.report.hosts),
      replaced: this.#workers.reduce((sum, worker) => sum + worker.report.replaced, 0),
    };
  }

  /**
   * Runs a task on the worker that keeps its calls, else on the least busy one; `host` answers what the run asks meanwhile. Resolves once everything the run
   * sent has reached `host`: no chunk is lost and no late commit meets the next attempt.
   */
  async run(task: PoolTask, host: ExecutionHost): Promise<RunOutcome> {
    const { executionId } = task.job;
    const ended = Promise.withResolvers<RunOutcome>();
    this.#runs.set(executionId, { host, ended });
    const placed = { ...task, [queueOptionsSymbol]: { home: this.#leaveHome(executionId) } satisfies Placement };
    this.#piscina.run(placed).catch((error: unknown) => ended.resolve(workerDied(error)));
    try {
      return await ended.promise;
    } finally {
      this.#runs.delete(executionId);
    }
  }

  /** Ends a run with `error`, wherever it is. */
  cancel(executionId: string, error: ErrorRecord): void {
    for (const { link } of this.#workers) link.send({ type: "cancel", executionId, error });
  }

  /** Kills the hosts and ends the workers. */
  async close(): Promise<void> {
    const workers = [...this.#workers];
    for (const { link } of workers) link.send({ type: "close" });
    const late = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref());
    await Promise.race([Promise.all(workers.map((worker) => worker.closed.promise)), late]);
    for (const { link } of workers) link.close();
    await this.#piscina.destroy();
  }

  #connect({ weftPort: port, threadId }: WorkerHello): void {
    const worker: Worker = {
      threadId,
      link: openLink<DownMessage, UpMessage>(port, (message) => this.#receive(worker, message)),
      report: { hosts: [], replaced: 0 },
      ready: Promise.withResolvers(),
      closed: Promise.withResolvers(),
    };
    this.#workers.push(worker);
    port.on("close", () => this.#workers.splice(this.#workers.indexOf(worker), 1));
    if (this.#workers.length === this.#options.workers) this.#connected.resolve();
  }

  #receive(worker: Worker, message: UpMessage): unknown {
    const { link } = worker;
    switch (message.type) {
      case "chunks":
        return this.#runs.get(message.executionId)?.host.chunks(message.chunks);
      case "logs":
        return this.#runs.get(message.executionId)?.host.logs(message.lines);
      case "impure":
        return this.#runs.get(message.executionId)?.host.impure();
      case "commit":
        return this.#answer(link, message, (host) => host.commit(message.records, message.durable));
      case "invoke":
        return this.#answer(link, message, (host) => host.invoke(message.call));
      case "accessory":
        return this.#answer(link, message, (host) => host.accessory(message.key));
      case "bundle":
        return answer(link, message.id, () => this.#options.loadBundle(message.hash));
      case "outcome":
        if (message.keepsCalls) this.#settle(message.executionId, worker);
        return this.#runs.get(message.executionId)?.ended.resolve(message.outcome);
      case "facts":
        worker.report = message;
        return worker.ready.resolve();
      case "closed":
        return worker.closed.resolve();
    }
  }

  #settle(executionId: string, { threadId }: Worker): void {
    const timer = setTimeout(() => this.#homes.delete(executionId), SHELF_MS).unref();
    this.#homes.set(executionId, { threadId, timer });
  }

  #leaveHome(executionId: string): number | undefined {
    const home = this.#homes.get(executionId);
    clearTimeout(home?.timer);
    this.#homes.delete(executionId);
    return home?.threadId;
  }

  #answer(link: Link<DownMessage>, ask: Ask, work: (host: ExecutionHost) => Promise<unknown>): Promise<void> {
    return answer(link, ask.id, async () => {
      const run = this.#runs.get(ask.executionId);
      if (run === undefined) throw fail("EXECUTION_NOT_FOUND", { id: ask.executionId });
      return work(run.host);
    });
  }
}

/** A worker thread that dies takes its hosts along; its runs are run again from their journals. */
function workerDied(error: unknown): RunOutcome {
  const cause = toRecord(fail("INTERNAL", {}, error));
  return { outcome: { status: "lost", suspect: false, cause }, frozenComplaint: false };
}

interface Ask {
  readonly id: number;
  readonly executionId: string;
}

async function answer(link: Link<DownMessage>, id: number, work: () => Promise<unknown>): Promise<void> {
  try {
    link.send({ type: "answer", id, value: await work() });
  } catch (error) {
    link.send({ type: "refusal", id, error: toRecord(toWorkflowError(error)) });
  }
}
