import { describe, expect, it } from "vitest";
import type { Lease } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { claim, entry, execution, finish, NO_OUTPUT, STOPPED, start, T0, USAGE, type World } from "../fixtures.ts";

const FAILURE = { code: "INTERNAL", message: "An internal error occurred.", details: {} } as const;
const METER = {
  startedAt: T0,
  durationMs: 1,
  attempts: 1,
  promptTokens: 0,
  completionTokens: 0,
  costUsd: 0,
  model: null,
};
const RETRY = { until: T0 + 500, timeoutFrom: null, error: FAILURE, usage: USAGE, ...NO_OUTPUT };

const find = ({ store, account }: World, executionId: string) =>
  store.findExecution({ accountId: account.id, executionId });

const fail = ({ store }: World, lease: Lease) =>
  store.completeExecution({ lease, ending: { status: "failed", error: FAILURE }, usage: USAGE, ...NO_OUTPUT, now: T0 });

const resume = ({ store, account }: World, executionId: string, changes: object = {}) =>
  store.resumeExecution({ accountId: account.id, executionId, gates: null, now: T0 + 9, ...changes });

function describeRetries(subject: () => Subject): void {
  it("goes back into the queue until its time, without the deliveries that failed", async () => {
    const { world } = subject();
    const lease = await start(world);
    await world.store.appendJournal({
      lease,
      records: [entry(0), entry(1, { meter: METER }), entry(2, { kind: "error" })],
    });
    expect(await world.store.retryExecution({ ...RETRY, lease })).toBe(true);
    expect(await find(world, lease.executionId)).toMatchObject({
      state: { status: "queued" },
      attempts: 2,
      retries: 1,
      lastError: FAILURE,
      runAt: T0 + 500,
      usage: USAGE,
    });
    expect(await world.store.readJournal({ executionId: lease.executionId })).toEqual([
      entry(0),
      entry(1, { meter: METER }),
    ]);
    expect(await claim(world, { now: T0 + 499 })).toEqual([]);
    expect(await claim(world, { now: T0 + 500 })).toMatchObject([
      { id: lease.executionId, fence: 2, attempts: 2, state: { status: "running", startedAt: T0 } },
    ]);
    await world.store.appendJournal({ lease: { ...lease, fence: 2 }, records: [entry(2)] });
    await finish(world, { ...lease, fence: 2 });
    expect(await find(world, lease.executionId)).toMatchObject({ state: { status: "completed" }, lastError: null });
  });

  it("loses only what failed at the end: what was done and paid stays", async () => {
    const { world } = subject();
    const kept = async (...records: Parameters<typeof entry>[1][]) => {
      const lease = await start(world);
      const journal = records.map((changes, seq) => entry(seq, changes));
      await world.store.appendJournal({ lease, records: journal });
      await world.store.retryExecution({ ...RETRY, lease });
      return (await world.store.readJournal({ executionId: lease.executionId })).length;
    };
    const result = { meter: METER };
    const error = { kind: "error", meter: METER } as const;
    expect(await kept(result, error, error)).toBe(1);
    expect(await kept(error, result)).toBe(2);
    expect(await kept(result, { kind: "part", pos: 1 }, { ...error, pos: 1 })).toBe(1);
    expect(await kept({ kind: "part", pos: 1 }, { ...result, pos: 0 }, { ...error, pos: 1 })).toBe(2);
    expect(await kept(result, error, { op: "sleep" })).toBe(1);
    expect(await kept(result, { op: "sleep" })).toBe(2);
    const answer = (status: number) => ({ meter: METER, payload: `{"status":${status},"url":"x"}` });
    expect(await kept(answer(200), answer(503), answer(429))).toBe(1);
    expect(await kept(answer(200), answer(404))).toBe(2);
  });

  it("lets the nested executions that failed with it go on from their failures, and starts those with secrets anew", async () => {
    const { world } = subject();
    const { store } = world;
    const lease = await start(world);
    const parentId = lease.executionId;
    const nested = { op: "workflow.create", meter: METER };
    const failing = { ...nested, kind: "error" } as const;
    const ids: string[] = [];
    for (const [parentPos, hasSecrets] of [false, true, false].entries()) {
      const child = await start(world, { parentId, parentPos, hasSecrets });
      await store.appendJournal({ lease: child, records: [entry(0, nested), entry(1, failing)] });
      await fail(world, child);
      ids.push(child.executionId);
    }
    const [goesOn = "", , stays = ""] = ids;
    const records = [
      { ...failing, pos: 2 },
      { ...nested, pos: 9 },
      { ...failing, pos: 0 },
      { ...failing, pos: 1 },
    ];
    await store.appendJournal({ lease, records: records.map((changes, seq) => entry(seq, changes)) });
    await store.retryExecution({ ...RETRY, lease });
    expect(await store.readJournal({ executionId: parentId })).toHaveLength(2);
    expect(await find(world, goesOn)).toMatchObject({ state: { status: "queued" }, attempts: 2 });
    expect(await store.readJournal({ executionId: goesOn })).toHaveLength(1);
    expect((await find(world, stays))?.state.status).toBe("failed");
    expect(await store.findChild({ parentId, parentPos: 1 })).toBeNull();
    expect((await claim(world, { now: T0 + 500 })).map(({ id }) => id).sort()).toEqual([parentId, goesOn].sort());
  });

  it("keeps what the dropped deliveries used, but for nested executions that go on and count it themselves", async () => {
    const { world, reopen } = subject();
    const { store } = world;
    const lease = await start(world);
    const { executionId } = lease;
    const paid = { ...METER, promptTokens: 3, completionTokens: 2, costUsd: 0.5 };
    const failing = { kind: "error", meter: paid } as const;
    const child = await start(world, { parentId: executionId, parentPos: 3 });
    await store.appendJournal({ lease: child, records: [entry(0, failing)] });
    await fail(world, child);
    const records = [
      entry(0, { meter: paid }),
      entry(1, failing),
      entry(2),
      entry(3, { ...failing, op: "workflow.x" }),
    ];
    await store.appendJournal({ lease, records });
    expect(await store.droppedUsage({ executionId })).toEqual({ promptTokens: 0, completionTokens: 0, costUsd: 0 });
    await store.retryExecution({ ...RETRY, lease });
    const dropped = { promptTokens: 3, completionTokens: 2, costUsd: 0.5 };
    expect(await store.droppedUsage({ executionId })).toEqual(dropped);
    expect(await store.droppedUsage({ executionId: child.executionId })).toEqual(dropped);
    await claim(world, { now: T0 + 500 });
    const second = { ...lease, fence: 2 };
    await store.appendJournal({ lease: second, records: [entry(1, failing)] });
    await store.retryExecution({ ...RETRY, lease: second });
    const again = await reopen();
    expect(await again.droppedUsage({ executionId })).toEqual({ promptTokens: 6, completionTokens: 4, costUsd: 1 });
    await again.deleteWorkflow({ accountId: world.account.id, workflowId: world.workflow.id });
    expect((await again.droppedUsage({ executionId })).costUsd).toBe(0);
  });

  it("takes nothing from an old lease", async () => {
    const { world } = subject();
    const lease = await start(world);
    await world.store.appendJournal({ lease, records: [entry(0)] });
    expect(await world.store.retryExecution({ ...RETRY, lease: { ...lease, fence: 0 } })).toBe(false);
    await finish(world, lease);
    expect(await world.store.retryExecution({ ...RETRY, lease })).toBe(false);
    expect(await world.store.readJournal({ executionId: lease.executionId })).toHaveLength(1);
  });

  it("is claimable at once when someone asked to stop it", async () => {
    const { world } = subject();
    const lease = await start(world);
    const { store, account } = world;
    await store.cancelExecution({ accountId: account.id, executionId: lease.executionId, now: T0, error: STOPPED });
    await store.retryExecution({ ...RETRY, lease });
    expect(await claim(world)).toMatchObject([{ id: lease.executionId }]);
  });

  it("gives its slot to others until it is due again", async () => {
    const { world } = subject();
    const gates = { slot: { key: "k", limit: 1 }, rate: null, debounce: null, isDirect: false };
    const one = (await world.store.enqueue({ execution: execution(world.workflow), gates })).execution;
    const two = (await world.store.enqueue({ execution: execution(world.workflow), gates })).execution;
    await claim(world);
    await world.store.retryExecution({ ...RETRY, lease: { executionId: one.id, fence: 1 } });
    expect(await claim(world, { now: T0 + 500 })).toMatchObject([{ id: two.id }]);
    await finish(world, { executionId: two.id, fence: 1 });
    expect(await claim(world, { now: T0 + 500 })).toMatchObject([{ id: one.id }]);
  });
}

function describeResumption(subject: () => Subject): void {
  it("goes on at once with the deliveries before the cut", async () => {
    const { world } = subject();
    const lease = await start(world);
    await world.store.appendJournal({ lease, records: [entry(0), entry(1, { kind: "error" })] });
    await fail(world, lease);
    expect(await resume(world, lease.executionId)).toMatchObject({
      state: { status: "queued" },
      attempts: 2,
      retries: 0,
      resumedAt: T0 + 9,
      lastError: FAILURE,
    });
    expect(await world.store.readJournal({ executionId: lease.executionId })).toEqual([entry(0)]);
    expect(await claim(world)).toMatchObject([{ id: lease.executionId, fence: 2, state: { startedAt: T0 } }]);
    expect(await finish(world, lease)).toBe(false);
  });

  it("passes its gates again", async () => {
    const { world } = subject();
    const gates = { slot: { key: "k", limit: 1 }, rate: null, debounce: null, isDirect: false };
    const one = (await world.store.enqueue({ execution: execution(world.workflow), gates })).execution;
    await claim(world);
    await fail(world, { executionId: one.id, fence: 1 });
    const two = (await world.store.enqueue({ execution: execution(world.workflow), gates })).execution;
    expect(await resume(world, one.id, { gates })).toMatchObject({ isGated: true });
    expect(await claim(world)).toMatchObject([{ id: two.id }]);
    await finish(world, { executionId: two.id, fence: 1 });
    expect(await claim(world)).toMatchObject([{ id: one.id }]);
  });

  it("is refused to what has not failed, has a parent or secrets, or is another account's", async () => {
    const { world } = subject();
    const running = await start(world);
    const done = await start(world);
    await finish(world, done);
    const child = await start(world, { parentId: "p", parentPos: 0 });
    const secret = await start(world, { hasSecrets: true });
    const failed = await start(world);
    for (const lease of [child, secret, failed]) await fail(world, lease);
    for (const { executionId } of [running, done, child, secret]) expect(await resume(world, executionId)).toBeNull();
    expect(await resume(world, failed.executionId, { accountId: "other" })).toBeNull();
    expect(await resume(world, "unknown")).toBeNull();
  });
}

/** Contract: further attempts of executions. */
export function describeJobs(subject: () => Subject): void {
  describe("an execution that is tried again", () => describeRetries(subject));
  describe("an execution that is resumed", () => describeResumption(subject));

  it("executions of an account are counted by status", async () => {
    const { world } = subject();
    const { store, account, workflow } = world;
    for (let at = 0; at < 3; at += 1) await store.enqueue({ execution: execution(workflow) });
    await start(world);
    const count = (status: "queued" | "running", accountId = account.id) =>
      store.countExecutions({ accountId, status });
    expect([await count("queued"), await count("running"), await count("queued", "other")]).toEqual([3, 1, 0]);
    await claim(world, { max: 1 });
    expect([await count("queued"), await count("running")]).toEqual([2, 2]);
  });

  it("what waits in the queue and ends otherwise than by being cancelled has failed", async () => {
    const { world } = subject();
    const { store, account, workflow } = world;
    const { id: executionId } = (await store.enqueue({ execution: execution(workflow) })).execution;
    const error = { code: "EXECUTION_TIMEOUT", message: "too long", details: {} } as const;
    await store.cancelExecution({ accountId: account.id, executionId, now: T0, error });
    expect(await find(world, executionId)).toMatchObject({ state: { status: "failed", error } });
  });
}
