import { createHash, randomUUID } from "node:crypto";
import type { Chunk, JournalRecord, LogLine, Usage } from "../../runtime/index.ts";
import type { Account, Lease, NewExecution, Store, Version, Workflow } from "../../src/store/store.ts";

/** The time at which everything is made, in milliseconds since the epoch. */
export const T0 = 1_800_000_000_000;
/** Length of every lease, in milliseconds. */
export const LEASE_MS = 30_000;
/** A usage without a zero. */
export const USAGE: Usage = { promptTokens: 11, completionTokens: 7, costUsd: 0.0125, ops: 2, cpuMs: 3.5 };
/** No chunks, no log lines. */
export const NO_OUTPUT: { readonly chunks: readonly Chunk[]; readonly logs: readonly LogLine[] } = {
  chunks: [],
  logs: [],
};
/** A good ending. */
export const DONE = { status: "completed", output: '{"answer":"yes"}', cached: false } as const;
/** The error of a cancelled execution. */
export const STOPPED = { code: "EXECUTION_CANCELLED", message: "The execution was cancelled.", details: {} } as const;

/** What a stored execution says of its attempts while it has not failed. */
export const FIRST_ATTEMPT = { attempts: 1, retries: 0, lastError: null, resumedAt: null, isGated: false } as const;

/** A store with an account and a workflow to hang executions on. */
export interface World {
  readonly store: Store;
  readonly account: Account;
  readonly workflow: Workflow;
}

type PutWorkflow = Parameters<Store["putWorkflow"]>[0];

/** Settings of a workflow called `summarize`. */
export function workflowParams(accountId: string, changes: Partial<PutWorkflow> = {}): PutWorkflow {
  return {
    id: randomUUID(),
    accountId,
    ref: "summarize",
    name: "Summarize",
    description: "Says it shorter.",
    executionMode: "sync",
    timeoutMs: null,
    application: null,
    env: { REGION: "eu" },
    validateInput: true,
    inputSchema: { query: { type: "string" } },
    outputSchema: null,
    cache: null,
    retention: null,
    createdAt: T0,
    now: T0,
    ...changes,
  };
}

/** Adds account and workflow to an empty store. */
export async function worldOf(store: Store): Promise<World> {
  const account = await store.ownerAccount();
  const workflow = await store.putWorkflow(workflowParams(account.id));
  return { store, account, workflow };
}

/** Hex SHA-256 of a text. */
export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Version 1.0.0 of a workflow. */
export function version(workflow: Workflow, changes: Partial<Version> = {}): Version {
  return {
    id: randomUUID(),
    workflowId: workflow.id,
    accountId: workflow.accountId,
    number: "1.0.0",
    notes: "",
    bundleHash: sha256("bundle"),
    facts: { config: { timeout: "60s" }, inputSchema: null, outputSchema: null, frozen: true },
    isolation: "frozen",
    accessories: {},
    datastores: [],
    createdAt: T0,
    ...changes,
  };
}

/** Code of a version. */
export const CODE = { code: "() => ({})", sourceMap: "{}", sources: '[{"path":"main.ts","text":""}]' };

/** A background execution that is due at once. */
export function execution(workflow: Workflow, changes: Partial<NewExecution> = {}): NewExecution {
  return {
    id: randomUUID(),
    accountId: workflow.accountId,
    workflowId: workflow.id,
    versionId: randomUUID(),
    ref: workflow.ref,
    mode: "background",
    data: '{"input":{"query":"ünïcode \\u0000"}}',
    hasSecrets: false,
    sessionId: "session",
    requestId: "request",
    parentId: null,
    parentPos: null,
    depth: 0,
    seed: "00ff",
    priority: 0,
    createdAt: T0,
    runAt: T0,
    timeoutMs: 300_000,
    cacheKey: null,
    idempotencyKey: null,
    budget: null,
    ...changes,
  };
}

/** Starts an execution under worker `w1`. */
export async function start(world: World, changes: Partial<NewExecution> = {}): Promise<Lease> {
  const fresh = execution(world.workflow, changes);
  return world.store.startExecution({ execution: fresh, startedAt: fresh.createdAt, worker: "w1", leaseMs: LEASE_MS });
}

/** Claims as worker `w1` with room for everything, unless told otherwise. */
export function claim(world: World, changes: Partial<Parameters<Store["claim"]>[0]> = {}): ReturnType<Store["claim"]> {
  return world.store.claim({
    worker: "w1",
    max: 100,
    leaseMs: LEASE_MS,
    now: T0,
    perAccount: 100,
    minPriority: null,
    ...changes,
  });
}

/** Completes an execution with `DONE`. */
export function finish(world: World, lease: Lease): Promise<boolean> {
  return world.store.completeExecution({ lease, ending: DONE, usage: USAGE, ...NO_OUTPUT, now: T0 + 5 });
}

/** A journal record without arguments and meter. */
export function entry(seq: number, changes: Partial<JournalRecord> = {}): JournalRecord {
  const hash = createHash("sha256").update(`http.request ${seq}`).digest("base64url");
  return {
    seq,
    pos: seq,
    kind: "result",
    op: "http.request",
    hash,
    payload: `{"n":${seq}}`,
    at: T0 + seq,
    args: null,
    meter: null,
    ...changes,
  };
}

/** `count` numbered chunks whose texts are easily damaged. */
export function chunks(from: number, count: number): Chunk[] {
  return Array.from({ length: count }, (_, at) => ({
    index: from + at,
    type: '"delta"',
    content: `{"n": ${from + at}.0, "q":"\\u001e\\"é"}`,
    text: (from + at) % 2 === 0,
  }));
}

/** `count` numbered log lines. */
export function lines(from: number, count: number): LogLine[] {
  return Array.from({ length: count }, (_, at) => ({
    index: from + at,
    level: "info",
    at: T0 + at,
    message: `line ${from + at}`,
    fields: at % 2 === 0 ? '{"a":1}' : null,
  }));
}
