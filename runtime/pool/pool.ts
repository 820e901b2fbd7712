import { Piscina } from "piscina";
import { type ErrorRecord, fail, toRecord, toWorkflowError } from "../errors.ts";
import type { ExecutionHost } from "../execution.ts";
import type { Cost } from "../spending.ts";
import type { RunOutcome } from "../worker/run-options.ts";
import { SHELF_MS } from "../worker/shelves.ts";
import { type DownMessage, type HostFacts, jobOf, type Link, openLink, toRunMessage, type UpMessage } from "./link.ts";
import type { PoolTask, WorkerHello, WorkerSettings } from "./worker.ts";

/** Settings of the pool. */
export interface PoolOptions extends WorkerSettings {
  readonly workers: number;
  loadBundle(hash: string): Promise<string | null>;
  /** Takes what a call has cost, also after its attempt has ended. */
  settle(ticket: number, cost: Cost): void;
}

/** A run under way: where it is, who answers it, and who waits for it. */
interface PoolRun {
  readonly worker: Worker;
  readonly host: ExecutionHost;
  readonly ended: PromiseWithResolvers<RunOutcome>;
}

interface HostsReport {
  readonly hosts: readonly HostFacts[];
  readonly replaced: number;
}

/** One worker thread, as the main thread sees it. */
interface Worker {
  readonly link: Link<DownMessage>;
  /** Number of runs in it. */
  running: number;
  report: HostsReport;
  readonly ready: PromiseWithResolvers<void>;
  readonly closed: PromiseWithResolvers<void>;
}

const CLOSE_MS = 2_000;

/** The worker that keeps calls of an execution, and until when. */
interface Home {
  readonly worker: Worker;
  readonly timer: NodeJS.Timeout;
}

/**
 * The worker threads of the server, and what they ask of it. piscina starts, replaces and ends them; runs go over the
 * link, many in one message, because a message for each costs the main thread a fifth of what a short run does.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #piscina: Piscina;
  readonly #workers: Worker[] = [];
  /** The runs under way, by execution id. */
  readonly #runs = new Map<string, PoolRun>();
  /** Workers that keep calls of executions between two attempts, by execution id. */
  readonly #homes = new Map<string, Home>();
  readonly #connected = Promise.withResolvers<void>();
  /** Runs that wait for a worker, because none is left for the moment. */
  readonly #waiting: ((worker: Worker | null) => void)[] = [];
  #closed = false;

  private constructor(options: PoolOptions) {
    this.#options = options;
    // Whoever starts the pool may ask only later whether that went well.
    this.#connected.promise.catch(() => undefined);
    const { workers, loadBundle: _load, settle: _settle, ...workerData } = options;
    this.#piscina = new Piscina({
      filename: new URL("./thread.mjs", import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      idleTimeout: Number.POSITIVE_INFINITY,
      atomics: "disabled",
      workerData: workerData satisfies WorkerSettings,
    });
    this.#piscina.on("message", (message: WorkerHello | { readonly weftPort?: never }) => {
      if (message.weftPort !== undefined) this.#connect(message);
    });
    this.#piscina.on("error", (error: Error) => {
      this.#connected.reject(error);
      process.stderr.write(`weft worker: ${error.stack ?? error.message}\n`);
    });
  }

  /** Starts the workers; what is run before they are there waits for them. */
  static start(options: PoolOptions): Pool {
    return new Pool(options);
  }

  /** Resolves when each worker has its host processes; rejects when one could not start. */
  async ready(): Promise<void> {
    await this.#connected.promise;
    await Promise.all(this.#workers.map((worker) => worker.ready.promise));
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
   * Runs a task on the worker that keeps its calls, else on the least busy one; `host` answers what the run asks
   * meanwhile. Resolves once everything the run sent has reached `host`: no chunk is lost and no late commit meets the
   * next attempt.
   */
  async run({ job, mode }: PoolTask, host: ExecutionHost): Promise<RunOutcome> {
    const { executionId } = job;
    const worker = this.#leaveHome(executionId) ?? this.#leastBusy() ?? (await this.#nextWorker());
    if (worker === null) return lost("The pool is closed.");
    const ended = Promise.withResolvers<RunOutcome>();
    this.#runs.set(executionId, { worker, host, ended });
    worker.running++;
    worker.link.send(toRunMessage(job, mode));
    try {
      return await ended.promise;
    } finally {
      worker.running--;
      this.#runs.delete(executionId);
    }
  }

  /** Ends a run with `error`, wherever it is. */
  cancel(executionId: string, error: ErrorRecord): void {
    const worker = this.#runs.get(executionId)?.worker;
    for (const { link } of worker === undefined ? this.#workers : [worker])
      link.send({ type: "cancel", executionId, error });
  }

  /** Kills the hosts and ends the workers. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const begin of this.#waiting.splice(0)) begin(null);
    const workers = [...this.#workers];
    for (const { link } of workers) link.send({ type: "close" });
    const late = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref());
    await Promise.race([Promise.all(workers.map((worker) => worker.closed.promise)), late]);
    for (const { link } of workers) link.close();
    await this.#piscina.destroy();
  }

  #connect({ weftPort: port }: WorkerHello): void {
    const worker: Worker = {
      running: 0,
      link: openLink<DownMessage, UpMessage>(
        port,
        (message) => this.#receive(worker, message),
        (message, error) => this.#unsent(worker, message, error),
      ),
      report: { hosts: [], replaced: 0 },
      ready: Promise.withResolvers(),
      closed: Promise.withResolvers(),
    };
    this.#workers.push(worker);
    port.on("close", () => this.#lose(worker));
    for (const begin of this.#waiting.splice(0)) begin(worker);
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
        return this.#answer(link, message, (host) => host.accessory(message.request));
      case "files":
        return this.#answer(link, message, (host) => host.files(message.request));
      case "agent":
        return this.#answer(link, message, (host) => host.agent(message.key));
      case "wait":
        return this.#answer(link, message, (host) => host.wait(message.request));
      case "waited":
        return this.#answer(link, message, (host) => host.waited(message.pos));
      case "reserve":
        return this.#answer(link, message, (host) => host.reserve(message.request));
      case "settle":
        return this.#options.settle(message.ticket, message.cost);
      case "funded":
        return this.#answer(link, message, (host) => host.funded(message.funds));
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

  /** What cannot be sent to a worker fails its own run and nothing else. */
  #unsent({ link }: Worker, message: DownMessage, cause: unknown): void {
    process.stderr.write(`weft: a message to a worker cannot be sent: ${String(cause)}\n`);
    const error = toRecord(fail("INTERNAL"));
    if (message.type === "answer" || message.type === "refusal") link.send({ type: "refusal", id: message.id, error });
    else if (message.type === "cancel") link.send({ ...message, error });
    else if (message.type === "run") this.#runs.get(jobOf(message).executionId)?.ended.resolve(broken(error));
  }

  #leastBusy(): Worker | undefined {
    let found: Worker | undefined;
    for (const worker of this.#workers) if (found === undefined || worker.running < found.running) found = worker;
    return found;
  }

  /** Null when the pool was closed. */
  async #nextWorker(): Promise<Worker | null> {
    return this.#closed ? null : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** A worker thread that dies takes its hosts along; its runs are run again from their journals. */
  #lose(worker: Worker): void {
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    worker.ready.resolve();
    worker.closed.resolve();
    const outcome = lost("A worker thread has ended.");
    for (const run of this.#runs.values()) if (run.worker === worker) run.ended.resolve(outcome);
  }

  #settle(executionId: string, worker: Worker): void {
    const timer = setTimeout(() => this.#homes.delete(executionId), SHELF_MS).unref();
    this.#homes.set(executionId, { worker, timer });
  }

  #leaveHome(executionId: string): Worker | undefined {
    const home = this.#homes.get(executionId);
    if (home === undefined) return undefined;
    clearTimeout(home.timer);
    this.#homes.delete(executionId);
    return this.#workers.includes(home.worker) ? home.worker : undefined;
  }

  #answer(link: Link<DownMessage>, ask: Ask, work: (host: ExecutionHost) => Promise<unknown>): Promise<void> {
    return answer(link, ask.id, async () => {
      const run = this.#runs.get(ask.executionId);
      if (run === undefined) throw fail("EXECUTION_NOT_FOUND", { id: ask.executionId });
      return work(run.host);
    });
  }
}

function lost(why: string): RunOutcome {
  const cause = toRecord(fail("INTERNAL", {}, new Error(why)));
  return { outcome: { status: "lost", suspect: false, cause }, frozenComplaint: false };
}

function broken(error: ErrorRecord): RunOutcome {
  const usage = { promptTokens: 0, completionTokens: 0, costUsd: 0, ops: 0, cpuMs: 0 };
  return { outcome: { status: "failed", error, usage }, frozenComplaint: false };
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
