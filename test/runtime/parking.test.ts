import { afterAll, beforeAll, expect, test } from "vitest";
import type { ExecutionOutcome } from "../../runtime/execution.ts";
import { type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

let runtime: BareRuntime;

beforeAll(async () => {
  runtime = await startBareRuntime();
});
afterAll(() => runtime.close());

const HOUR = 3_600_000;
const ask = (text: string) =>
  `await ctx.chat.completions.create({ messages: [{ role: "user", content: "${text}" }] });`;

function untilOf(outcome: ExecutionOutcome): number | null {
  if (outcome.status !== "waiting") throw new Error(`not waiting: ${JSON.stringify(outcome)}`);
  return outcome.until;
}

test("a long sleep gives the isolate up and goes on where it was once its time has come", async () => {
  const startedAt = Date.now() - 2 * HOUR;
  const script = scriptOf(`ctx.emit("before", 1); ${ask("a")} await ctx.sleep("2h"); ${ask("b")} return Date.now();`);
  const asleep = await runtime.job(script, { startedAt: Date.now() });
  const { host, ...outcome } = await runtime.finish(asleep);
  expect(host.records.map(({ op }) => op)).toEqual(["chat.completions.create"]);
  expect(untilOf(outcome)).toBe((host.records[0]?.at ?? 0) + 2 * HOUR);
  expect(runtime.stats().running).toBe(0);

  // The same execution two hours later: its journal is that much older.
  const records = host.records.map((record) => ({ ...record, at: record.at - 2 * HOUR }));
  const calls = runtime.stub.calls.length;
  const woken = await runtime.finish({ ...runtime.resume(asleep, records), startedAt });
  expect(woken).toMatchObject({ status: "completed" });
  expect(runtime.stub.calls.length).toBe(calls + 1);
  expect(woken.host.records.map(({ op }) => op)).toEqual([
    "chat.completions.create",
    "sleep",
    "chat.completions.create",
  ]);
});

test("an execution resumed too early waits again for the same time", async () => {
  const job = await runtime.job(scriptOf(`${ask("early")} await ctx.sleep("1h"); return 1;`));
  const first = await runtime.finish(job);
  const second = await runtime.finish(runtime.resume(job, first.host.records));
  expect(untilOf(second)).toBe(untilOf(first));
  expect(second.host.records).toEqual(first.host.records);
});

test("parallel sleeps wake at the earliest, and what a short one did is recorded before parking", async () => {
  const job = await runtime.job(
    scriptOf(`
    const done = [];
    const nap = async (ms) => { await ctx.sleep(ms); done.push(ms); ctx.emit("woke", ms); };
    await Promise.all([nap(${2 * HOUR}), nap(30), nap(${HOUR})]);
    return done;`),
  );
  const { host, ...outcome } = await runtime.finish(job);
  expect(untilOf(outcome)).toBe(job.startedAt + HOUR);
  expect(host.records.map(({ op, pos }) => [op, pos])).toEqual([["sleep", 1]]);
  expect(host.emitted.map(({ content }) => content)).toEqual(["30"]);
});

test("of parallel sleeps those whose time has come are over and the rest is waited for", async () => {
  const job = await runtime.job(
    scriptOf(`
    const done = [];
    const nap = async (ms) => { await ctx.sleep(ms); done.push(ms); };
    await Promise.race([nap(${2 * HOUR}), Promise.all([nap(20), nap(${HOUR})]).then(() => nap(${3 * HOUR}))]);
    return done;`),
    { startedAt: Date.now() - HOUR },
  );
  const { host, ...outcome } = await runtime.finish(job);
  expect(untilOf(outcome)).toBe(job.startedAt + 2 * HOUR);
  expect(host.records.map(({ pos }) => pos).sort()).toEqual([1, 2]);
  const again = await runtime.finish(runtime.resume(job, host.records));
  expect(untilOf(again)).toBe(untilOf(outcome));
  expect(again.host.records).toEqual(host.records);
});

test("an execution that also waits for something else keeps its isolate", async () => {
  runtime.stub.script({ delayMs: 60 });
  const job = await runtime.job(
    scriptOf(`const reply = ctx.chat.completions.create({ messages: [{ role: "user", content: "both" }] });
    const nap = ctx.sleep("1h");
    return (await Promise.race([reply, nap])).choices[0].message.content;`),
  );
  expect(await runtime.finish(job)).toMatchObject({ status: "completed", output: '"stub: both"' });
});

test("a sleep beyond the deadline ends at the deadline", async () => {
  const job = await runtime.job(scriptOf(`await ctx.sleep("1h"); return 1;`), { deadlineAt: Date.now() + 150 });
  expect(await runtime.finish(job)).toMatchObject({ status: "failed", error: { code: "EXECUTION_TIMEOUT" } });
});

test("what it waits for is told, in call order, without secrets", async () => {
  const job = await runtime.job(
    scriptOf(`${ask("x")} await Promise.all([
      ctx.sleep("1h"), ctx.waitFor("a", { match: { token: "t" } }), ctx.waitFor("long", { match: { x: "y".repeat(300) } }),
    ]);`),
    { secrets: { token: "very-secret-value" } },
  );
  const { host: _host, ...outcome } = await runtime.finish(job, {
    wait: async () => null,
    waited: () => new Promise(() => {}),
  });
  expect(outcome).toMatchObject({
    status: "waiting",
    calls: [
      { pos: 1, op: "sleep", args: expect.stringContaining("until") },
      { pos: 2, op: "waitFor", args: expect.stringContaining('"name":"a"') },
      { pos: 3, op: "waitFor", args: null },
    ],
  });
});
