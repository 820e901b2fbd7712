import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Schedule, ScheduleDefinition, Store } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import {
  CODE,
  DONE,
  execution,
  NO_OUTPUT,
  STOPPED,
  start,
  T0,
  USAGE,
  version,
  type World,
  workflowParams,
} from "../fixtures.ts";

const HOUR = 3_600_000;
const OTHER = "account-2";

/** What a schedule of the tests says. */
export const RULE: ScheduleDefinition = {
  name: "hourly",
  cron: "0 * * * *",
  timezone: "Europe/Berlin",
  input: '{"n":1}',
  catchUp: "skip",
  overlap: "skip",
  endAt: null,
};

const newId = () => `sched_${randomUUID().replaceAll("-", "")}`;

/** Adds a schedule that is due in an hour. */
export function addSchedule({ store, account, workflow }: World, changes: Partial<Schedule> = {}): Promise<Schedule> {
  const owner = { accountId: account.id, workflowId: workflow.id };
  const schedule = { ...RULE, id: newId(), ...owner, paused: false, nextAt: T0 + HOUR, ...changes };
  return store.addSchedule({ schedule, max: 100, now: T0 });
}

const advanced = (schedule: Schedule, changes: Partial<Parameters<Store["advanceSchedule"]>[0]> = {}) => ({
  scheduleId: schedule.id,
  revision: schedule.revision,
  nextAt: T0 + 2 * HOUR,
  dueAt: T0 + 2 * HOUR,
  queuedUntil: null,
  reachedAt: T0 + HOUR,
  skipped: 0,
  error: null,
  ...changes,
});

/** Contract of schedules. */
export function describeSchedules(subject: () => Subject): void {
  describe("schedules", () => {
    it("are kept as they were made, also across a restart, each account its own", async () => {
      const { world, reopen } = subject();
      const { account, workflow } = world;
      const made = await addSchedule(world, { endAt: T0 + 9 * HOUR });
      expect(made).toMatchObject({ ...RULE, endAt: T0 + 9 * HOUR, origin: "api", paused: false, nextAt: T0 + HOUR });
      expect(made).toMatchObject({ skipped: 0, error: null, createdAt: T0, updatedAt: T0, queuedUntil: null });
      const store = await reopen();
      expect(await store.findSchedule({ accountId: account.id, scheduleId: made.id })).toEqual(made);
      expect(await store.findSchedule({ accountId: OTHER, scheduleId: made.id })).toBeNull();
      const key = { accountId: OTHER, scheduleId: made.id, now: T0 };
      expect(await store.pauseSchedule(key)).toBe(false);
      expect(await store.resumeSchedule({ ...key, nextAt: T0 })).toBe(false);
      expect(await store.redefineSchedule({ ...key, definition: RULE, nextAt: T0 })).toBe(false);
      expect(await store.removeSchedule(key)).toBe(false);
      const page = { limit: 10, offset: 0 };
      expect(await store.listSchedules({ accountId: OTHER, workflowId: null, ...page })).toEqual({
        items: [],
        total: 0,
      });
      expect((await store.listSchedules({ accountId: OTHER, workflowId: workflow.id, ...page })).total).toBe(0);
      expect((await store.listSchedules({ accountId: account.id, workflowId: workflow.id, ...page })).items).toEqual([
        made,
      ]);
    });

    it("refuse a name twice, an unknown workflow, one of another account and more than the limit", async () => {
      const { world } = subject();
      await addSchedule(world);
      await expect(addSchedule(world)).rejects.toMatchObject({
        code: "CONFLICT",
        message: expect.stringContaining("hourly"),
      });
      await expect(addSchedule(world, { name: "b", workflowId: randomUUID() })).rejects.toMatchObject({
        code: "WORKFLOW_NOT_FOUND",
      });
      await expect(addSchedule(world, { name: "b", accountId: OTHER })).rejects.toMatchObject({
        code: "WORKFLOW_NOT_FOUND",
      });
      const { account, workflow, store } = world;
      const schedule = {
        ...RULE,
        name: "b",
        id: newId(),
        accountId: account.id,
        workflowId: workflow.id,
        paused: false,
        nextAt: null,
      };
      await expect(store.addSchedule({ schedule, max: 1, now: T0 })).rejects.toMatchObject({
        code: "RATE_LIMITED",
        message: expect.stringContaining("MAX_SCHEDULES"),
      });
    });

    it("are due once their time has come, not while paused, and change their mind atomically", async () => {
      const { world } = subject();
      const { store, account } = world;
      const made = await addSchedule(world);
      const paused = await addSchedule(world, { name: "paused", paused: true });
      expect(await store.nextDueSchedule()).toBe(T0 + HOUR);
      expect(await store.dueSchedules({ now: T0 + HOUR - 1, max: 5 })).toEqual([]);
      expect(await store.dueSchedules({ now: T0 + HOUR, max: 5 })).toEqual([made]);
      expect(await store.advanceSchedule(advanced(made, { skipped: 1, error: STOPPED }))).toBe(true);
      expect(await store.advanceSchedule(advanced(made))).toBe(false);
      const key = { accountId: account.id, scheduleId: made.id };
      expect(await store.findSchedule(key)).toMatchObject({ nextAt: T0 + 2 * HOUR, skipped: 1, error: STOPPED });
      expect(await store.pauseSchedule({ ...key, now: T0 + 5 })).toBe(true);
      expect(await store.findSchedule(key)).toMatchObject({ paused: true, nextAt: null, updatedAt: T0 + 5 });
      expect(await store.nextDueSchedule()).toBeNull();
      expect(
        await store.redefineSchedule({ ...key, definition: { ...RULE, cron: "5 * * * *" }, nextAt: T0, now: T0 }),
      ).toBe(true);
      expect(await store.findSchedule(key)).toMatchObject({ cron: "5 * * * *", paused: true, nextAt: null });
      const resumed = { accountId: account.id, scheduleId: paused.id, nextAt: T0 + 3 * HOUR, now: T0 };
      expect(await store.resumeSchedule(resumed)).toBe(true);
      expect(await store.nextDueSchedule()).toBe(T0 + 3 * HOUR);
      expect(await store.resumeSchedule({ ...resumed, nextAt: T0 })).toBe(true);
      expect(await store.nextDueSchedule()).toBe(T0 + 3 * HOUR);
      expect(await store.removeSchedule(key)).toBe(true);
      expect(await store.findSchedule(key)).toBeNull();
    });

    it("tell which of them are ahead of a clock that was put back", async () => {
      const { world } = subject();
      const made = await addSchedule(world);
      await world.store.advanceSchedule(advanced(made));
      expect(await world.store.schedulesAhead({ now: T0 + HOUR, max: 5 })).toEqual([]);
      const [ahead] = await world.store.schedulesAhead({ now: T0 + HOUR - 1, max: 5 });
      expect(ahead?.id).toBe(made.id);
    });

    it("start each slot once, even when the key of the first execution has expired, and know their runs", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const made = await addSchedule(world);
      const key = { accountId: account.id, scheduleId: made.id };
      const slotKey = (slot: string) => `schedule:${made.id}:${slot}`;
      const lease = await start(world, { idempotencyKey: slotKey("2026-01-01T00:00:00.000Z") });
      const second = execution(workflow, { idempotencyKey: slotKey("2026-01-01T01:00:00.000Z") });
      expect((await store.enqueue({ execution: second })).created).toBe(true);
      expect(await store.scheduledRun({ ...key, slot: "2026-01-01T00:00:00.000Z" })).toBe(lease.executionId);
      expect(await store.scheduledRun({ ...key, slot: "2026-01-01T02:00:00.000Z" })).toBeNull();
      expect(await store.scheduledRun({ ...key, accountId: OTHER, slot: "2026-01-01T00:00:00.000Z" })).toBeNull();
      expect((await store.unfinishedRuns(key)).toSorted()).toEqual([lease.executionId, second.id].toSorted());
      expect(await store.unfinishedRuns({ ...key, accountId: OTHER })).toEqual([]);
      await store.completeExecution({ lease, ending: DONE, usage: USAGE, ...NO_OUTPUT, now: T0 });
      expect(await store.unfinishedRuns(key)).toEqual([second.id]);
      const runs = await store.scheduledRuns({ ...key, limit: 5, offset: 0 });
      expect(runs.map(({ id }) => id)).toEqual([second.id, lease.executionId]);
      expect(await store.scheduledRuns({ ...key, limit: 5, offset: 1 })).toHaveLength(1);
      expect(await store.scheduledRuns({ ...key, accountId: OTHER, limit: 5, offset: 0 })).toEqual([]);
      const again = await start(world, { idempotencyKey: slotKey("2026-01-01T00:00:00.000Z") }).catch((error) => error);
      expect(again).toMatchObject({ code: "CONFLICT" });
    });

    it("know the executions that are tied to them, once each, and none of another account", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const made = await addSchedule(world);
      const key = { accountId: account.id, scheduleId: made.id };
      const mine = execution(workflow, { idempotencyKey: "my own" });
      await store.enqueue({ execution: mine });
      const tie = { ...key, slot: "2026-01-01T00:00:00.000Z manual 1", executionId: mine.id };
      for (let time = 0; time < 2; time++) await store.tieToSchedule(tie);
      const other = await store.putWorkflow(workflowParams(OTHER, { id: randomUUID() }));
      const theirs = execution(other);
      await store.enqueue({ execution: theirs });
      await store.tieToSchedule({ ...tie, slot: "2026-01-01T00:00:00.000Z manual 2", executionId: theirs.id });
      await store.tieToSchedule({ ...tie, accountId: OTHER, slot: "3", executionId: theirs.id });
      await store.tieToSchedule({ ...tie, scheduleId: newId(), slot: "4" });
      const runs = await store.scheduledRuns({ ...key, limit: 5, offset: 0 });
      expect(runs.map(({ id }) => id)).toEqual([mine.id]);
    });

    it("are no business of keys that only look like theirs", async () => {
      const { world } = subject();
      const { store } = world;
      const made = await addSchedule(world);
      const other = await store.putWorkflow(workflowParams(OTHER, { id: randomUUID() }));
      const idempotencyKey = `schedule:${made.id}:x`;
      await store.enqueue({ execution: execution(other, { idempotencyKey }) });
      expect((await store.enqueue({ execution: execution(world.workflow, { idempotencyKey }) })).created).toBe(true);
      await store.enqueue({ execution: execution(world.workflow, { idempotencyKey: "schedule:sched_" }) });
      expect(await store.unfinishedRuns({ accountId: world.account.id, scheduleId: made.id })).toHaveLength(1);
    });

    it("go with their workflow", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const made = await addSchedule(world);
      await start(world, { idempotencyKey: `schedule:${made.id}:x` });
      await store.deleteWorkflow({ accountId: account.id, workflowId: workflow.id });
      expect(await store.findSchedule({ accountId: account.id, scheduleId: made.id })).toBeNull();
      expect(await store.nextDueSchedule()).toBeNull();
      expect(await store.scheduledRun({ accountId: account.id, scheduleId: made.id, slot: "x" })).toBeNull();
    });
  });

  describe("schedules of a script", () => {
    const rules = (...names: string[]) => names.map((name) => ({ ...RULE, name, id: newId(), nextAt: T0 + HOUR }));

    it("are added, kept, changed and removed with the active version", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const params = { accountId: account.id, workflowId: workflow.id, now: T0 };
      const one = version(workflow);
      await store.addVersion({ version: one, code: CODE, activate: true });
      const sync = (schedules: ReturnType<typeof rules>, versionId = one.id) =>
        store.syncSchedules({ ...params, versionId, schedules });
      const list = async () =>
        (await store.listSchedules({ accountId: account.id, workflowId: workflow.id, limit: 9, offset: 0 })).items;
      const api = await addSchedule(world, { name: "api" });
      await sync(rules("a", "b"));
      const [b, a] = await list();
      expect([a, b]).toMatchObject([
        { name: "a", origin: "config" },
        { name: "b", origin: "config" },
      ]);
      await store.pauseSchedule({ accountId: account.id, scheduleId: a?.id ?? "", now: T0 });
      await store.advanceSchedule(advanced(b as Schedule));
      // Not the active version: nothing happens.
      await sync([], randomUUID());
      await sync(rules("b", "a").map((rule) => ({ ...rule, input: '{"n":2}', nextAt: T0 + 7 * HOUR })));
      const kept = await list();
      expect(kept.map(({ id }) => id)).toEqual([b?.id, a?.id, api.id]);
      expect(kept[0]).toMatchObject({ input: '{"n":2}', nextAt: T0 + 2 * HOUR });
      expect(kept[1]).toMatchObject({ paused: true, nextAt: null });
      await sync(rules("b").map((rule) => ({ ...rule, cron: "30 * * * *", nextAt: T0 + 7 * HOUR })));
      expect(await list()).toMatchObject([{ id: b?.id, cron: "30 * * * *", nextAt: T0 + 7 * HOUR }, { id: api.id }]);
      await sync(rules("api"));
      expect(await list()).toMatchObject([{ id: api.id, origin: "config" }]);
      await sync([]);
      expect(await list()).toEqual([]);
    });
  });
}
