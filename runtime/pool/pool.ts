import type { MessagePort } from "node:worker_threads";
import { Piscina } from "piscina";
import { type ErrorRecord, fail, toRecord, toWorkflowError } from "../errors.ts";
import type { ExecutionHost } from "../execution.ts";
import type { RunOutcome } from "../worker/run.ts";
import { type DownMessage, type HostFacts, type Link, openLink, type UpMessage } from "./link.ts";
import type { PoolTask, WorkerSettings } from "./worker.ts";

/** The worker threads of the server, and what they ask of it. */
export interface Pool {
  /** Runs a task on the least busy worker; `host` answers what the run asks meanwhile. */
  run(task: PoolTask, host: ExecutionHost): Promise<RunOutcome>;
  cancel(executionId: string, error: ErrorRecord): void;
  running(): number;
  facts(): { readonly hosts: readonly HostFacts[]; readonly replaced: number };
  close(): Promise<void>;
}

/** Settings of the pool. */
export interface PoolOptions extends WorkerSettings {
  readonly workers: number;
  loadBundle(hash: string): Promise<string | null>;
}

interface Worker {
  readonly link: Link<DownMessage>;
  facts: { readonly hosts: readonly HostFacts[]; readonly replaced: number };
  readonly ready: PromiseWithResolvers<void>;
  readonly closed: PromiseWithResolvers<void>;
}

/** Executions wait on models for seconds: a worker takes as many as come; the engine's admission is the limit. */
const TASKS_PER_WORKER = 1_000_000;
const CLOSE_MS = 2_000;

/** Starts the workers and resolves when each has its host processes. */
export async function createPool(options: PoolOptions): Promise<Pool> {
  const hosts = new Map<string, ExecutionHost>();
  const workers: Worker[] = [];
  const enough = Promise.withResolvers<void>();
  const { source, models, allowPrivate, warm } = options;
  const settings: WorkerSettings = { source, models, allowPrivate, warm };

  const answer = async (link: Link<DownMessage>, id: number, work: () => Promise<unknown>) => {
    try {
      link.send({ type: "answer", id, value: await work() });
    } catch (error) {
      link.send({ type: "refusal", id, error: toRecord(toWorkflowError(error)) });
    }
  };

  const hostOf = (executionId: string): ExecutionHost => {
    const host = hosts.get(executionId);
    if (host === undefined) throw fail("EXECUTION_NOT_FOUND", { id: executionId });
    return host;
  };

  const receive = (worker: Worker, message: UpMessage) => {
    const { link } = worker;
    switch (message.type) {
      case "commit":
        return answer(link, message.id, async () =>
          hostOf(message.executionId).commit(message.records, message.durable),
        );
      case "chunks":
        return hosts.get(message.executionId)?.chunks(message.chunks);
      case "logs":
        return hosts.get(message.executionId)?.logs(message.lines);
      case "invoke":
        return answer(link, message.id, async () => hostOf(message.executionId).invoke(message.call));
      case "accessory":
        return answer(link, message.id, async () => hostOf(message.executionId).accessory(message.key));
      case "bundle":
        return answer(link, message.id, () => options.loadBundle(message.hash));
      case "facts":
        worker.facts = message;
        return worker.ready.resolve();
      case "closed":
        return worker.closed.resolve();
    }
  };

  const connect = (port: MessagePort) => {
    const worker: Worker = {
      link: openLink<DownMessage, UpMessage>(port, (message) => receive(worker, message)),
      facts: { hosts: [], replaced: 0 },
      ready: Promise.withResolvers(),
      closed: Promise.withResolvers(),
    };
    workers.push(worker);
    if (workers.length === options.workers) enough.resolve();
  };

  const piscina = new Piscina({
    filename: new URL("./worker.ts", import.meta.url).href,
    minThreads: options.workers,
    maxThreads: options.workers,
    concurrentTasksPerWorker: TASKS_PER_WORKER,
    idleTimeout: Number.POSITIVE_INFINITY,
    atomics: "disabled",
    workerData: settings,
  });
  piscina.on("message", (message: { readonly weftPort?: MessagePort }) => {
    if (message.weftPort !== undefined) connect(message.weftPort);
  });
  piscina.on("error", enough.reject);
  await enough.promise;
  await Promise.all(workers.map((worker) => worker.ready.promise));

  return {
    async run(task, host) {
      const { executionId } = task.job;
      hosts.set(executionId, host);
      try {
        return (await piscina.run(task)) as RunOutcome;
      } finally {
        hosts.delete(executionId);
      }
    },
    cancel(executionId, error) {
      for (const { link } of workers) link.send({ type: "cancel", executionId, error });
    },
    running: () => hosts.size,
    facts: () => ({
      hosts: workers.flatMap((worker) => worker.facts.hosts),
      replaced: workers.reduce((sum, worker) => sum + worker.facts.replaced, 0),
    }),
    async close() {
      for (const { link } of workers) link.send({ type: "close" });
      const late = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([Promise.all(workers.map((worker) => worker.closed.promise)), late]);
      for (const { link } of workers) link.close();
      await piscina.destroy();
    },
  };
}
