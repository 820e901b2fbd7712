import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it, vi } from "vitest";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import type { ExecutionFilter } from "../../../src/store/store.ts";
import { testKey } from "../../support/keys.ts";
import { addSchedule, RULE } from "../contract/schedules.ts";
import { addDelivery, addEndpoint } from "../contract/webhooks.ts";
import {
  CODE,
  chunks,
  claim,
  entry,
  execution,
  finish,
  LEASE_MS,
  NO_OUTPUT,
  STOPPED,
  sha256,
  start,
  T0,
  USAGE,
  version,
  type World,
  workflowParams,
  worldOf,
} from "../fixtures.ts";
import { park, send, waitFor } from "../waiting.ts";
import { temporaryDirectory } from "./directory.ts";
import { useDatastores } from "./use-datastores.ts";
import { passGates } from "./use-gates.ts";

/** Read whole: small, or bounded by a LIMIT of their own. */
const SMALL_TABLES = [
  "k",
  "doomed",
  "totals",
  "(subquery-1)",
  "newest",
  // Read whole into memory at the start and after each change of a key or an account.
  "keys",
  "accounts",
  "json_each",
  "call_webhooks",
  "webhook_events",
  "sqlite_schema",
  // Read once, at the start.
  "datastore_files",
  "d",
];

/** Indexes whose "USING COVERING INDEX …" reads what is unfinished only, or the oldest few. */
const PARTIAL_INDEXES = /executions_timer|executions_keyed|datastore_imports_open|datastore_files_retired/;

async function manageWorkflows({ store, account, workflow }: World): Promise<void> {
  const accountId = account.id;
  await store.addKey({ accountId, hash: "h", key: testKey("n"), createdAt: T0 });
  await store.writeSetting({ name: "a", value: "b" });
  await store.readSetting({ name: "a" });
  await store.putBlob({ hash: sha256("f"), bytes: Buffer.from("f") });
  await store.readBlob({ hash: sha256("f") });
  const one = version(workflow, { accessories: { f: { hash: sha256("f"), bytes: 1, filename: "f" } } });
  await store.addVersion({ version: one, code: CODE, activate: true });
  await store.activateVersion({ accountId, workflowId: workflow.id, versionId: one.id, now: T0 });
  for (const key of ["summarize", workflow.id, "1", "nope"]) await store.findWorkflow({ accountId, key });
  await store.putWorkflow(workflowParams(accountId));
  await store.listWorkflows({ accountId, limit: 5, offset: 0 });
  await store.findVersion({ accountId, versionId: one.id });
  await store.listVersions({ accountId, workflowId: workflow.id });
  await store.replaceSources({ accountId, versionId: one.id, ...CODE });
  await store.versionCode({ accountId, versionId: one.id });
  await store.bundleCode({ hash: one.bundleHash });
}

async function runExecutions(world: World): Promise<void> {
  const { store, account, workflow } = world;
  const accountId = account.id;
  const first = execution(workflow, { idempotencyKey: "i", parentId: "p", parentPos: 1 });
  await store.enqueue({ execution: first });
  await store.findChild({ parentId: "p", parentPos: 1 });
  await store.findKeyed({ accountId, idempotencyKey: "i", since: T0 });
  await store.expireKeys({ since: T0, max: 5 });
  const [claimed] = await claim(world);
  await store.releaseOthers({ worker: "w2" });
  await claim(world);
  await store.nextDue();
  const lease = await start(world);
  await store.appendJournal({ lease, records: [entry(0, { args: "{}" })] });
  await store.readJournal({ executionId: lease.executionId });
  await store.readReplay({ executionId: lease.executionId });
  await store.readTrace({ accountId, executionId: lease.executionId, from: 0, limit: 5, maxChars: 9 });
  await store.readParking({ accountId, executionId: lease.executionId });
  await store.appendOutput({ lease, chunks: chunks(0, 2), logs: [] });
  await store.readChunks({ executionId: lease.executionId, from: 0, limit: 2 });
  await store.mayHaveLog({ executionId: lease.executionId, beginning: "a" });
  await store.readLogs({ executionId: lease.executionId, from: 0, limit: 2 });
  await store.renew({ worker: "w1", leases: [lease], leaseMs: LEASE_MS, now: T0 });
  await store.waitExecution({ lease, until: T0, sleeps: [], calls: null, shortage: null, usage: USAGE, ...NO_OUTPUT });
  await store.cancelExecution({ accountId, executionId: lease.executionId, now: T0, error: STOPPED });
  await store.cancelExecution({ accountId, executionId: claimed?.id ?? "", now: T0, error: STOPPED });
  await finish(world, { executionId: claimed?.id ?? "", fence: 2 });
  const times = { startedAt: T0, finishedAt: T0, usage: USAGE };
  await store.recordExecution({
    execution: execution(workflow),
    ending: { status: "failed", error: STOPPED },
    ...times,
    ...NO_OUTPUT,
  });
  await store.recordHits({
    hits: [{ execution: execution(workflow), resultOf: null, output: "1", chunks: [], finishedAt: T0 }],
  });
  await listEverything(world);
}

async function listEverything({ store, account, workflow }: World): Promise<void> {
  const filters: readonly ExecutionFilter[] = [
    {},
    { statuses: ["failed"], createdFrom: T0 },
    { workflowId: workflow.id },
    { workflowId: workflow.id, statuses: ["failed"], createdBefore: T0 },
    { sessionId: "session" },
    { parentId: "p" },
    { finishedFrom: T0 },
    { finishedBefore: T0 + 9, metadata: { a: "b" }, minCostUsd: 1 },
  ];
  for (const filter of filters) {
    await store.listExecutions({ accountId: account.id, filter, limit: 5, offset: 0, after: null });
  }
}

async function useSchedules(world: World): Promise<void> {
  const { store, account, workflow } = world;
  const key = { accountId: account.id, scheduleId: (await addSchedule(world)).id };
  await store.redefineSchedule({ ...key, definition: RULE, nextAt: T0, now: T0 });
  await store.pauseSchedule({ ...key, now: T0 });
  await store.resumeSchedule({ ...key, nextAt: T0, now: T0 });
  for (const workflowId of [null, workflow.id])
    await store.listSchedules({ accountId: account.id, workflowId, limit: 5, offset: 0 });
  await store.dueSchedules({ now: T0, max: 5 });
  await store.nextDueSchedule();
  await store.schedulesAhead({ now: T0, max: 5 });
  const position = { nextAt: T0, dueAt: T0, queuedUntil: null, reachedAt: T0 };
  await store.advanceSchedule({ scheduleId: key.scheduleId, revision: 0, ...position, skipped: 0, error: null });
  await store.scheduledRuns({ ...key, limit: 5, offset: 0 });
  await store.unfinishedRuns(key);
  await store.scheduledRun({ ...key, slot: "x" });
  const { activeVersionId } = (await store.findWorkflow({ accountId: account.id, key: workflow.id })) ?? workflow;
  const synced = { ...RULE, id: "sched_2", nextAt: T0 };
  const params = { accountId: account.id, workflowId: workflow.id, versionId: activeVersionId ?? "", now: T0 };
  for (const schedules of [[synced], [{ ...synced, name: "b" }]]) await store.syncSchedules({ ...params, schedules });
  await store.removeSchedule(key);
}

async function useWebhooks(world: World): Promise<void> {
  const { store, account, workflow } = world;
  const accountId = account.id;
  const endpoint = await addEndpoint(world, { workflowIds: [workflow.id] });
  const key = { accountId, endpointId: endpoint.id, now: T0 };
  await store.redefineEndpoint({ ...key, ...endpoint });
  await store.disableEndpoint({ ...key, reason: "r" });
  await store.rotateEndpoint({ ...key, secret: "s", formerUntil: T0 });
  await store.listEndpoints({ accountId, limit: 5, offset: 0 });
  const webhook = { url: "https://example.com", events: ["completed"], endpointId: null } as const;
  await store.addCallWebhook({ executionId: "e", webhook });
  await store.removeCallWebhook({ executionId: "e" });
  await store.dropOrphanedWebhooks();
  const { id: deliveryId, target, executionId } = await addDelivery(world);
  const event = { number: 0, accountId, executionId, status: "completed", at: T0 } as const;
  await store.webhookTargets({ event, workflowId: workflow.id });
  await store.dueTargets({ now: T0, after: "", max: 5 });
  await store.claimDeliveries({ target, now: T0, max: 5, leaseMs: 1 });
  await store.releaseDelivery({ deliveryId, attempt: 1, now: T0 });
  await store.claimDeliveries({ target, now: T0, max: 5, leaseMs: 1 });
  const attempt = { attempt: 1, at: T0, durationMs: 1, status: 200, error: null, answer: null };
  await store.endAttempt({ deliveryId, attempt, status: "delivered", dueAt: null, now: T0 });
  await store.readAttempts({ accountId, deliveryId });
  for (const filter of [
    { endpointId: null, executionId },
    { endpointId: endpoint.id, executionId: null },
  ])
    await store.listDeliveries({ accountId, ...filter, limit: 5, offset: 0 });
  await store.listDeliveries({ accountId, endpointId: null, executionId: null, limit: 5, offset: 0 });
  await store.replayDelivery({ accountId, deliveryId, now: T0 });
  await store.pruneDeliveries({ before: T0, max: 5 });
  await store.removeEndpoint(key);
}

async function waitForThings(world: World): Promise<void> {
  const { store, account } = world;
  const accountId = account.id;
  const lease = await start(world);
  const { executionId } = lease;
  for (const [pos, match] of [null, { n: 1 }].entries()) await waitFor(world, lease, pos, { match });
  await send(world, { n: 1 }, { idUntil: T0 + 9, keepUntil: T0 + 9, max: 1 });
  const [left] = await store.unfinishedEvents();
  await store.continueEvent({ event: left?.event ?? 0, max: 9, now: T0 });
  await send(world, { n: 1 }, { executionId });
  await waitFor(world, lease, 2);
  await store.closeWaits({ lease, waits: [0, 1].map((pos) => ({ kind: "event", pos })), now: T0 + 20 });
  const approval = { id: "apr_1", pos: 5, title: "?", detail: "{}", createdAt: T0, until: null };
  await store.openApproval({ lease, approval, maxOpen: 9 });
  await store.openWait({ lease, wait: { kind: "approval", id: "apr_1" }, maxOpen: 9, now: T0 });
  await store.listApprovals({ accountId, now: T0, limit: 5, offset: 0 });
  await store.findApproval({ accountId, approvalId: "apr_1", now: T0 });
  await store.listWaits({ accountId, executionId });
  await park(world, lease);
  await store.decideApproval({ accountId, approvalId: "apr_1", decision: "{}", now: T0 });
  await store.pruneEvents({ now: T0 + 99, max: 9 });
  await store.cancelExecution({ accountId, executionId, now: T0, error: STOPPED });
}

async function useEverything(world: World): Promise<void> {
  await manageWorkflows(world);
  await runExecutions(world);
  await waitForThings(world);
  await useSchedules(world);
  await useWebhooks(world);
  await passGates(world);
  await useDatastores(world);
  const { store, account, workflow } = world;
  const old = execution(workflow, { createdAt: T0 });
  const ending = { status: "failed", error: STOPPED } as const;
  const times = { startedAt: T0, finishedAt: T0, usage: USAGE };
  await store.recordExecution({ execution: old, ending, ...times, chunks: chunks(0, 1), logs: [] });
  await store.listEndedRoots({ workflowId: workflow.id, after: null, limit: 5 });
  await store.oldestKept({ workflowId: workflow.id, keep: 1 });
  await store.listWorkflowIds({ after: 0, limit: 5 });
  await store.removeExecution({ accountId: account.id, executionId: old.id, results: true });
  const result = { executionId: null, output: "1", chunks: [], createdAt: T0, expiresAt: T0 };
  await store.writeResult({ key: "k", workflowId: workflow.id, result });
  await store.readResult({ key: "k", now: T0 });
  await store.pruneResults({ now: T0 - 1, maxBytes: 0, max: 5 });
  await useBudgets(world);
  await store.deleteWorkflow({ accountId: account.id, workflowId: workflow.id });
  await store.putWorkflow(workflowParams(account.id, { id: randomUUID() }));
}

async function useBudgets(world: World): Promise<void> {
  const { store, account, workflow } = world;
  const accountId = account.id;
  const limits = { nanoUsd: null, tokens: null, calls: 0 };
  const put = () => store.putPools({ accountId, pools: [{ key: null, limits }], now: T0 });
  await put();
  const lease = await start(world, { budget: { limits: { ...limits, calls: 1 }, key: null, above: [], usd: false } });
  const worst = { nanoUsd: 1, tokens: 1, calls: 1 };
  const refused = await store.reserve({ lease, request: { pos: 0, slot: 0, worst }, now: T0 });
  if (refused.ticket !== null) throw new Error("it was granted");
  const { shortage } = refused;
  await store.waitExecution({ lease, until: null, sleeps: [], calls: null, shortage, usage: USAGE, ...NO_OUTPUT });
  await store.listShort({ workflowId: workflow.id, before: T0, limit: 1 });
  const target = { executionId: lease.executionId };
  for (const to of [{ key: null }, target])
    await store.topUp({ accountId, target: to, add: worst, idempotencyKey: null, now: T0 }).catch(() => undefined);
  await store.topUp({ accountId, target, add: { ...worst, nanoUsd: 0, tokens: 0 }, idempotencyKey: "k", now: T0 });
  await store.topUp({
    accountId,
    target: { key: null },
    add: { ...worst, nanoUsd: 0, tokens: 0 },
    idempotencyKey: null,
    now: T0,
  });
  while (await store.wakeFunded({ limit: 1, now: T0 }));
  const again = (await claim(world)).find(({ id }) => id === lease.executionId);
  const held = { executionId: lease.executionId, fence: again?.fence ?? 0 };
  await store.reserve({ lease: held, request: { pos: 0, slot: 0, worst }, now: T0 });
  await store.readPool({ accountId, key: null, now: T0 });
  await store.readBalance({ accountId, executionId: lease.executionId });
}

function slowSteps(db: DatabaseSync, sql: string): string[] {
  const steps = db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => String(row["detail"]));
  return steps.filter((step) => {
    if (step.includes("TEMP B-TREE")) return !step.includes("DISTINCT");
    const table = /^SCAN (\S+)/.exec(step)?.[1];
    const isSmall = table === "CONSTANT" || SMALL_TABLES.includes(table ?? "");
    return table !== undefined && !isSmall && !PARTIAL_INDEXES.test(step);
  });
}

it("no statement of the store reads a whole table or sorts", async () => {
  const file = join(temporaryDirectory(), "weft.db");
  const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
  const store = await createSqliteStore({ file, durability: "full" });
  await useEverything(await worldOf(store));
  await store.close();
  const statements = [...new Set(prepare.mock.calls.map(([sql]) => sql))].filter((sql) =>
    /^(SELECT|INSERT|UPDATE|DELETE)/.test(sql),
  );
  prepare.mockRestore();
  expect(statements.length).toBeGreaterThan(60);
  const db = new DatabaseSync(file);
  const slow = statements.map((sql) => ({ sql, steps: slowSteps(db, sql) })).filter(({ steps }) => steps.length > 0);
  db.close();
  expect(slow).toEqual([]);
});
