import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSchedules, type Schedules } from "../../../src/engine/schedules/create-schedules.ts";
import type { NewSchedule } from "../../../src/engine/schedules/schedule-service.ts";
import type { Schedule } from "../../../src/engine/types.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Midnight UTC. */
const START = Date.parse("2026-06-01T00:00:00Z");

let core: TestCore;
let now = START;
let schedules: Schedules;

/** Another server on the same store. */
const another = () => createSchedules({ store: core.store, engine: core.engine, report: fail, now: () => now });
function fail(error: unknown): void {
  throw error;
}

beforeAll(async () => {
  core = await startTestCore();
  // Its own scheduler lives by the real clock.
  await core.schedules.stop();
  schedules = another();
  await core.deploy(
    "quick",
    "export const execute = (ctx) => ({ input: ctx.input, schedule: ctx.metadata.schedule });",
  );
  await core.deploy("slow", "export const execute = async (ctx) => { await ctx.sleep('1h'); return 1; };");
  await core.deploy(
    "strict",
    `export const inputSchema = { type: "object", required: ["n"], properties: { n: { type: "number" } } };
    export const config = { validate_input: true };
    export const execute = (ctx) => ctx.input.n;`,
  );
});
afterAll(() => core.close());

let made = 0;
function create(ref: string, more: Partial<NewSchedule> = {}): Promise<Schedule> {
  const name = `s${made++}`;
  return schedules.create({ accountId: core.accountId, ref, cron: "0 * * * *", name, paused: false, ...more });
}

const keyOf = ({ accountId, id: scheduleId }: Schedule) => ({ accountId, scheduleId });

/** Slots that were started, oldest first, as text. */
async function started(schedule: Schedule): Promise<readonly string[]> {
  const runs = await schedules.runs({ ...keyOf(schedule), limit: 2_000, offset: 0 });
  return runs
    .map(({ idempotencyKey }) => String(idempotencyKey).slice(`schedule:${schedule.id}:`.length, -8))
    .toReversed();
}

async function statuses(schedule: Schedule): Promise<readonly string[]> {
  const runs = await schedules.runs({ ...keyOf(schedule), limit: 100, offset: 0 });
  return runs.map(({ state }) => state.status).toReversed();
}

async function goTo(time: number): Promise<void> {
  now = time;
  await schedules.tick();
}

/** Ends every execution of a schedule. */
async function endAll(schedule: Schedule): Promise<void> {
  for (const executionId of await core.store.unfinishedRuns(keyOf(schedule)))
    await core.engine.cancel({ accountId: core.accountId, executionId });
}

describe("a slot", () => {
  test("starts one background execution with the schedule's input, and metadata that name schedule and slot", async () => {
    now = START;
    const schedule = await create("quick", { input: '{"n":7}' });
    await goTo(START + HOUR - 1);
    expect(await started(schedule)).toEqual([]);
    await goTo(START + HOUR + 5);
    await schedules.tick();
    expect(await started(schedule)).toEqual(["2026-06-01T01:00"]);
    const [run] = await schedules.runs({ ...keyOf(schedule), limit: 1, offset: 0 });
    expect(run?.mode).toBe("background");
    expect(JSON.parse(run?.data ?? "")).toMatchObject({
      input: { n: 7 },
      metadata: { schedule: { id: schedule.id, name: schedule.name, scheduled_at: "2026-06-01T01:00:00.000Z" } },
    });
    const after = await schedules.find(keyOf(schedule));
    expect(schedules.nextRuns(after)).toEqual([2, 3, 4, 5, 6].map((n) => START + n * HOUR));
    await schedules.remove(keyOf(schedule));
  });

  test("is started once by two servers that look at the same time", async () => {
    now = START;
    const other = another();
    const all = await Promise.all(Array.from({ length: 20 }, () => create("quick", { overlap: "allow" })));
    now = START + HOUR;
    await Promise.all([schedules.tick(), other.tick()]);
    now = START + 2 * HOUR;
    await Promise.all([other.tick(), schedules.tick()]);
    for (const schedule of all) {
      expect(await started(schedule)).toEqual(["2026-06-01T01:00", "2026-06-01T02:00"]);
      await schedules.remove(keyOf(schedule));
    }
  });

  test("is started once when the server dies between the start and noting it", async () => {
    now = START;
    const schedule = await create("slow");
    now = START + HOUR;
    const dying = createSchedules({
      engine: core.engine,
      store: { ...core.store, advanceSchedule: () => Promise.reject(new Error("killed")) },
      report: fail,
      now: () => now,
    });
    await expect(dying.tick()).rejects.toThrow("killed");
    await schedules.tick();
    expect(await started(schedule)).toEqual(["2026-06-01T01:00"]);
    expect(await schedules.find(keyOf(schedule))).toMatchObject({ nextAt: START + 2 * HOUR, skipped: 0 });
    await endAll(schedule);
    await schedules.remove(keyOf(schedule));
  });

  test("whose input the workflow refuses says so and does not stop the next one", async () => {
    now = START;
    const schedule = await create("strict", { input: '{"n":"x"}' });
    await goTo(START + HOUR);
    expect(await schedules.find(keyOf(schedule))).toMatchObject({
      error: { code: "VALIDATION_ERROR" },
      nextAt: START + 2 * HOUR,
    });
    await schedules.update({ ...keyOf(schedule), changes: { input: '{"n":1}' } });
    await goTo(START + 2 * HOUR);
    expect(await schedules.find(keyOf(schedule))).toMatchObject({ error: null });
    expect(await started(schedule)).toEqual(["2026-06-01T02:00"]);
    await schedules.remove(keyOf(schedule));
  });

  test("that the server has no room for is tried again, however late it gets", async () => {
    now = START;
    const schedule = await create("quick");
    const full = createSchedules({
      store: core.store,
      engine: { ...core.engine, invoke: () => Promise.reject(Object.assign(new Error("full"), {})) },
      report: () => undefined,
      now: () => now,
    });
    now = START + HOUR;
    await full.tick();
    expect(await schedules.find(keyOf(schedule))).toMatchObject({ nextAt: START + HOUR, error: { code: "INTERNAL" } });
    await goTo(START + HOUR + 5 * MINUTE);
    expect(await started(schedule)).toEqual(["2026-06-01T01:00"]);
    await schedules.remove(keyOf(schedule));
  });
});

describe("after downtime", () => {
  test.each([
    ["skip", 5 * HOUR + 2 * MINUTE, []],
    ["skip", 5 * HOUR + 30_000, ["2026-06-01T05:00"]],
    ["one", 5 * HOUR + 2 * MINUTE, ["2026-06-01T05:00"]],
    ["one", 5 * HOUR + 30_000, ["2026-06-01T05:00"]],
    ["all", 3 * HOUR + 2 * MINUTE, ["2026-06-01T01:00", "2026-06-01T02:00", "2026-06-01T03:00"]],
  ] as const)("%s makes up for what it says, %i ms later", async (catchUp, later, expected) => {
    now = START;
    const schedule = await create("quick", { catchUp, overlap: "allow" });
    await goTo(START + later);
    expect(await started(schedule)).toEqual(expected);
    const next = START + (Math.floor(later / HOUR) + 1) * HOUR;
    await goTo(next);
    expect(await started(schedule)).toEqual([...expected, new Date(next).toISOString().slice(0, 16)]);
    await schedules.remove(keyOf(schedule));
  });

  test("all is bounded: the last 1,000 slots", async () => {
    now = START;
    const schedule = await create("quick", { catchUp: "all", overlap: "skip", cron: "* * * * *" });
    const position: number[] = [];
    const watching = createSchedules({
      store: {
        ...core.store,
        advanceSchedule: (params) => {
          position.push(params.nextAt ?? 0);
          return params.queuedUntil === now && position.length === 1
            ? core.store.advanceSchedule({ ...params, dueAt: null })
            : Promise.resolve(true);
        },
      },
      engine: core.engine,
      report: fail,
      now: () => now,
    });
    now = START + 3 * DAY + 30 * MINUTE;
    await watching.tick();
    expect(position).toEqual([now - 999 * MINUTE]);
    await schedules.remove(keyOf(schedule));
  });

  test("slots that are made up for come one after another where overlap skips", async () => {
    now = START;
    const schedule = await create("slow", { catchUp: "all", overlap: "skip" });
    await goTo(START + 3 * HOUR + 2 * MINUTE);
    const expected = ["2026-06-01T01:00"];
    expect(await started(schedule)).toEqual(expected);
    for (const next of ["2026-06-01T02:00", "2026-06-01T03:00"]) {
      await goTo(now + 2_000);
      expect(await started(schedule)).toEqual(expected);
      await endAll(schedule);
      await goTo(now + 2_000);
      expected.push(next);
      expect(await started(schedule)).toEqual(expected);
    }
    await goTo(START + 4 * HOUR);
    expect(await schedules.find(keyOf(schedule))).toMatchObject({ skipped: 1, queuedUntil: null });
    await endAll(schedule);
    await schedules.remove(keyOf(schedule));
  });

  test("pauses are not made up for", async () => {
    now = START;
    const schedule = await create("quick", { catchUp: "all" });
    await schedules.pause(keyOf(schedule));
    await goTo(START + 5 * HOUR + 2 * MINUTE);
    expect(schedules.nextRuns(await schedules.find(keyOf(schedule)))).toEqual([]);
    await schedules.resume(keyOf(schedule));
    await schedules.tick();
    expect(await started(schedule)).toEqual([]);
    await goTo(START + 6 * HOUR);
    expect(await started(schedule)).toEqual(["2026-06-01T06:00"]);
    await schedules.remove(keyOf(schedule));
  });
});

describe("while the execution of an earlier slot goes on", () => {
  async function overlapping(overlap: Schedule["overlap"]): Promise<Schedule> {
    now = START;
    const schedule = await create("slow", { overlap });
    await goTo(START + HOUR);
    await goTo(START + 2 * HOUR);
    return schedule;
  }

  test("skip leaves the slot out and counts it", async () => {
    const schedule = await overlapping("skip");
    expect(await started(schedule)).toEqual(["2026-06-01T01:00"]);
    expect(await schedules.find(keyOf(schedule))).toMatchObject({ skipped: 1, nextAt: START + 3 * HOUR });
    await endAll(schedule);
    await schedules.remove(keyOf(schedule));
  });

  test("allow starts it as well", async () => {
    const schedule = await overlapping("allow");
    expect(await started(schedule)).toEqual(["2026-06-01T01:00", "2026-06-01T02:00"]);
    await endAll(schedule);
    await schedules.remove(keyOf(schedule));
  });

  test("cancel ends the earlier one first", async () => {
    const schedule = await overlapping("cancel");
    expect(await started(schedule)).toEqual(["2026-06-01T01:00", "2026-06-01T02:00"]);
    expect((await statuses(schedule))[0]).toBe("cancelled");
    await endAll(schedule);
    await schedules.remove(keyOf(schedule));
  });

  test("queue starts each slot when the one before has ended, in order, however late", async () => {
    const schedule = await overlapping("queue");
    await goTo(START + 3 * HOUR + 10 * MINUTE);
    expect(await started(schedule)).toEqual(["2026-06-01T01:00"]);
    for (const expected of ["2026-06-01T02:00", "2026-06-01T03:00"]) {
      await endAll(schedule);
      await goTo(now + 2_000);
      expect((await started(schedule)).at(-1)).toBe(expected);
      await goTo(now + 2_000);
      expect((await started(schedule)).at(-1)).toBe(expected);
    }
    await endAll(schedule);
    await goTo(now + 2_000);
    expect(await schedules.find(keyOf(schedule))).toMatchObject({ nextAt: START + 4 * HOUR, queuedUntil: null });
    await schedules.remove(keyOf(schedule));
  });
});

describe("a clock that is set", () => {
  test("back starts no slot twice and goes on with the slots to come", async () => {
    now = START;
    const schedule = await create("quick", { overlap: "allow" });
    await goTo(START + HOUR);
    await goTo(START + 2 * HOUR);
    await goTo(START + 30 * MINUTE);
    expect(await schedules.find(keyOf(schedule))).toMatchObject({ nextAt: START + HOUR });
    for (let time = START + 40 * MINUTE; time <= START + 3 * HOUR; time += 10 * MINUTE) await goTo(time);
    expect(await started(schedule)).toEqual(["2026-06-01T01:00", "2026-06-01T02:00", "2026-06-01T03:00"]);
    await schedules.remove(keyOf(schedule));
  });

  test("far ahead by mistake and then back does not silence a schedule", async () => {
    now = START;
    const schedule = await create("quick", { catchUp: "one", overlap: "allow" });
    await goTo(START + 400 * DAY);
    await goTo(START + MINUTE);
    await goTo(START + HOUR);
    expect((await started(schedule))[0]).toBe("2026-06-01T01:00");
    await schedules.remove(keyOf(schedule));
  });
});

describe("schedules of a script", () => {
  const script = (schedule: string, n: number) => `export const config = { schedule: ${schedule} };
    export const execute = () => ${n};`;
  const of = async (ref: string) =>
    (await schedules.list({ accountId: core.accountId, ref, limit: 10, offset: 0 })).items.toReversed();

  test("follow the active version: publish, rollback, delete", async () => {
    now = Date.now();
    await core.deploy("timed", script('"0 7 * * 1-5"', 1));
    const [first] = await of("timed");
    expect(first).toMatchObject({
      name: "default",
      cron: "0 7 * * 1-5",
      timezone: "UTC",
      origin: "config",
      catchUp: "skip",
    });
    await core.deploy(
      "timed",
      script(
        '[{ cron: "@daily", timezone: "Europe/Berlin", input: { a: 1 }, catchUp: "one" }, { name: "b", cron: "0 0 * * * *", overlap: "queue" }]',
        2,
      ),
    );
    expect(await of("timed")).toMatchObject([
      { id: first?.id, cron: "@daily", timezone: "Europe/Berlin", input: '{"a":1}', catchUp: "one" },
      { name: "b", overlap: "queue" },
    ]);
    await core.deploy("timed", script("[]", 3), { publish: false });
    expect(await of("timed")).toHaveLength(2);
    await core.workflows.activate({ accountId: core.accountId, key: "timed", number: "1.0.0" });
    expect(await of("timed")).toMatchObject([{ id: first?.id, cron: "0 7 * * 1-5" }]);
    await expect(schedules.remove(keyOf(first as Schedule))).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(schedules.update({ ...keyOf(first as Schedule), changes: { cron: "@daily" } })).rejects.toMatchObject({
      code: "CONFLICT",
    });
    expect(await schedules.pause(keyOf(first as Schedule))).toMatchObject({ paused: true });
    await core.workflows.remove({ accountId: core.accountId, key: "timed" });
    await expect(schedules.find(keyOf(first as Schedule))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test.each([
    ["'nope'", "config.schedule"],
    ["{ cron: '* * * * *', timezone: 'Mars/Base' }", "config.schedule.timezone"],
    ["[{ cron: '* * * * *' }, { cron: '61 * * * *' }]", "config.schedule[1].cron"],
    ["{ cron: '* * * * *', end_at: '2020-01-01' }", "config.schedule.endAt"],
    ["{ cron: '0 0 30 2 *' }", "config.schedule.cron"],
    ["{ cron: '* * * * *', overlap: 'maybe' }", "config.schedule.overlap"],
    ["{ cron: '* * * * *', every: 5 }", "config.schedule.every"],
    ["[{ name: 'a', cron: '* * * * *' }, { name: 'a', cron: '@daily' }]", "config.schedule[1].name"],
    ["5", "config.schedule"],
  ])("%s is refused, naming %s", async (schedule, path) => {
    await expect(core.deploy("wrong", script(schedule, 1))).rejects.toMatchObject({
      code: "BUNDLE_FAILED",
      message: expect.stringContaining(path),
    });
  });
});

test("nothing was reported as a bug", () => {
  expect(core.reported).toEqual([]);
});
