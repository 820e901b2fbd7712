import { MessageChannel, type MessagePort, parentPort, workerData } from "node:worker_threads";
import { createDatastoreAccess } from "../datastores/access.ts";
import { createEgressClient } from "../egress/client.ts";
import { type ErrorRecord, fail, fromRecord, toRecord } from "../errors.ts";
import type { ExecutionJob, HostProfile } from "../execution.ts";
import type { AccessoryPart } from "../file-request.ts";
import { collectWhenIdle } from "../idle-collector.ts";
import type { Limits } from "../limits.ts";
import { createModelClient } from "../models/client.ts";
import type { ModelConfig } from "../models/config.ts";
import type { Wall } from "../spawn-confined.ts";
import { createMcpSessions } from "../tools/mcp/sessions.ts";
import { createDispatch } from "../worker/dispatch.ts";
import { Hosts } from "../worker/hosts.ts";
import { Run } from "../worker/run.ts";
import type { RunLink, RunOutcome } from "../worker/run-options.ts";
import type { Shelf } from "../worker/shelf.ts";
import { Shelves } from "../worker/shelves.ts";
import { type DownMessage, jobOf, openLink, type UpMessage } from "./link.ts";

/** What the main thread gives every worker. */
export interface WorkerSettings {
  readonly source: string;
  /** What stands around host processes; null for nothing. */
  readonly wall: Wall | null;
  /** More flags of Node for host processes. */
  readonly hostFlags: readonly string[];
  readonly models: ModelConfig;
  readonly allowPrivate: readonly string[];
  readonly allowHosts: readonly string[];
  /** Directory of all datastores; null where there are none. */
  readonly datastores: string | null;
  readonly limits: Limits;
  /** Profiles whose hosts are started at once. */
  readonly warm: readonly HostProfile[];
}

/** One task of the pool. */
export interface PoolTask {
  readonly job: ExecutionJob;
  readonly mode: "execute" | "describe";
}

/** How a worker introduces itself to the pool. */
export interface WorkerHello {
  readonly weftPort: MessagePort;
}

const settings = workerData as WorkerSettings;
const channel = new MessageChannel();
const answers = new Map<number, PromiseWithResolvers<unknown>>();
const runs = new Map<string, Run>();
const shelves = new Shelves();
let nextId = 1;
let closing = false;

/** What cannot be sent fails its own run and nothing else. */
function unsent(message: UpMessage, cause: unknown): void {
  const error = internal(cause);
  if ("id" in message) take(message.id)?.reject(fromRecord(error));
  if (message.type === "outcome") {
    const usage = { promptTokens: 0, completionTokens: 0, costUsd: 0, ops: 0, cpuMs: 0 };
    link.send({ ...message, outcome: { outcome: { status: "failed", error, usage }, frozenComplaint: false } });
  } else if ("executionId" in message) runs.get(message.executionId)?.stop(error);
}

const receive = (message: DownMessage): void => {
  if (message.type === "run") work({ job: jobOf(message), mode: message.mode });
  else if (message.type === "cancel") cancel(message.executionId, message.error);
  else if (message.type === "answer") take(message.id)?.resolve(message.value);
  else if (message.type === "refusal") take(message.id)?.reject(fromRecord(message.error));
  else if (message.type === "close") close();
};
const link = openLink<UpMessage, DownMessage>(channel.port1, receive, unsent);
parentPort?.postMessage({ weftPort: channel.port2 } satisfies WorkerHello, [channel.port2]);

function cancel(executionId: string, error: ErrorRecord): void {
  runs.get(executionId)?.stop(error);
  shelves.drop(executionId);
}

function take(id: number): PromiseWithResolvers<unknown> | undefined {
  const waiting = answers.get(id);
  answers.delete(id);
  return waiting;
}

function ask<T>(make: (id: number) => UpMessage): Promise<T> {
  const id = nextId++;
  const answer = Promise.withResolvers<unknown>();
  answers.set(id, answer);
  link.send(make(id));
  return answer.promise as Promise<T>;
}

const egress = createEgressClient({ allowPrivate: settings.allowPrivate, allowHosts: settings.allowHosts });
const models = createModelClient(settings.models);
const mcp = createMcpSessions({ egress });
const datastores = createDatastoreAccess({ root: settings.datastores, limits: settings.limits });
const dispatch = createDispatch({ egress, models, mcp, datastores });
const hosts = new Hosts({
  source: settings.source,
  wall: settings.wall,
  flags: settings.hostFlags,
  loadBundle: (hash) => ask<string | null>((id) => ({ type: "bundle", id, hash })),
});
const report = () => link.send({ type: "facts", ...hosts.facts() });
setInterval(report, 1_000).unref();
collectWhenIdle();
Promise.all(settings.warm.map((profile) => hosts.shared(profile))).then(report, (error: unknown) => {
  internal(error);
  report();
});

async function close(): Promise<void> {
  closing = true;
  shelves.close();
  const outside = mcp.close().then(() => egress.close());
  await Promise.all([hosts.close(), models.close(), datastores.close(), outside]);
  link.send({ type: "closed" });
}

function runLink(executionId: string): RunLink {
  return {
    commit: (records, durable) => ask<void>((id) => ({ type: "commit", id, executionId, records, durable })),
    chunks: (chunks) => link.send({ type: "chunks", executionId, chunks }),
    logs: (lines) => link.send({ type: "logs", executionId, lines }),
    impure: () => link.send({ type: "impure", executionId }),
    invoke: (call) => ask((id) => ({ type: "invoke", id, executionId, call })),
    accessory: (request) => ask<AccessoryPart>((id) => ({ type: "accessory", id, executionId, request })),
    files: (request) => ask((id) => ({ type: "files", id, executionId, request })),
    agent: (key) => ask<string>((id) => ({ type: "agent", id, executionId, key })),
    wait: (request) => ask<string | null>((id) => ({ type: "wait", id, executionId, request })),
    waited: (pos) => ask<string>((id) => ({ type: "waited", id, executionId, pos })),
    reserve: (request) => ask((id) => ({ type: "reserve", id, executionId, request })),
    settle: (ticket, cost) => link.send({ type: "settle", executionId, ticket, cost }),
    funded: (funds) => ask<void>((id) => ({ type: "funded", id, executionId, funds })),
  };
}

async function execute(job: ExecutionJob, mode: PoolTask["mode"], shelf: Shelf): Promise<RunOutcome> {
  const host = await (job.alone ? hosts.alone(job.profile) : hosts.shared(job.profile));
  const own = runLink(job.executionId);
  const run = new Run({ job, mode, host, link: own, dispatch, shelf });
  runs.set(job.executionId, run);
  try {
    return await run.outcome;
  } finally {
    runs.delete(job.executionId);
    if (job.alone) host.kill();
  }
}

/** True when the calls of a lost attempt wait here for the next one. A suspect that was alone gets none. */
function keepCalls(job: ExecutionJob, { outcome }: RunOutcome, shelf: Shelf): boolean {
  const goesOn = outcome.status === "lost" && !closing && !(job.alone && outcome.suspect);
  if (goesOn && shelves.keep(job, shelf)) return true;
  shelf.clear();
  return false;
}

function internal(error: unknown): ErrorRecord {
  process.stderr.write(`weft worker: ${error instanceof Error ? error.stack : String(error)}\n`);
  return toRecord(fail("INTERNAL"));
}

/** One task, one run; never rejects. The outcome travels behind the run's chunks and logs. */
async function work({ job, mode }: PoolTask): Promise<void> {
  const shelf = shelves.take(job);
  let outcome: RunOutcome;
  try {
    outcome = await execute(job, mode, shelf);
  } catch (error) {
    outcome = {
      outcome: { status: "lost", suspect: false, cause: closing ? toRecord(fail("STOPPING")) : internal(error) },
      frozenComplaint: false,
    };
  }
  const keepsCalls = keepCalls(job, outcome, shelf);
  link.send({ type: "outcome", executionId: job.executionId, outcome, keepsCalls });
}
