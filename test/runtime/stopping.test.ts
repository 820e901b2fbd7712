import { afterAll, beforeAll, expect, test } from "vitest";
import { fail, toRecord } from "../../runtime/errors.ts";
import { until } from "../support/until.ts";
import { type Attempt, type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

let runtime: BareRuntime;

beforeAll(async () => {
  runtime = await startBareRuntime();
});
afterAll(() => runtime.close());

const cancelled = toRecord(fail("EXECUTION_CANCELLED"));
const LISTEN = `ctx.signal.addEventListener("abort", () => ctx.emit("abort", String(ctx.signal.reason.name)));
  ctx.emit("ready", null);`;

async function isReady({ host }: Attempt): Promise<void> {
  await until(() => host.emitted.length > 0);
}

test("cancelling fires ctx.signal, then ends the execution, and the model's call is given up", async () => {
  runtime.stub.script({ delayMs: 60_000 });
  const before = runtime.stub.calls.length;
  const attempt = runtime.start(
    await runtime.job(
      scriptOf(`${LISTEN} await ctx.chat.completions.create({ messages: [{ role: "user", content: "x" }] });`),
    ),
  );
  await isReady(attempt);
  await until(() => runtime.stub.calls.length > before);
  runtime.cancel(attempt.job.executionId, cancelled);
  expect(await attempt.outcome).toMatchObject({ status: "failed", error: { code: "EXECUTION_CANCELLED" } });
  expect(attempt.host.emitted.map(({ type }) => type)).toEqual(['"ready"', '"abort"']);
  expect(attempt.host.records).toEqual([]);
  expect(runtime.stub.calls.at(-1)?.answered).toBe(false);
});

test("the deadline fires ctx.signal and names the limit", async () => {
  const job = await runtime.job(scriptOf(`${LISTEN} await new Promise(() => {});`));
  const attempt = runtime.start({ ...job, startedAt: Date.now(), deadlineAt: Date.now() + 2_000 });
  expect(await attempt.outcome).toMatchObject({
    status: "failed",
    error: { code: "EXECUTION_TIMEOUT", details: { limit: "timeoutMs" } },
  });
  expect(attempt.host.emitted.map(({ type }) => type)).toEqual(['"ready"', '"abort"']);
});

test("a script that holds on to its turn is ended all the same", async () => {
  const job = await runtime.job(scriptOf(`ctx.emit("ready", null); await ctx.sleep(1); for (;;);`), {
    limits: { turnMs: 30_000, cpuMs: 30_000 },
  });
  const attempt = runtime.start(job);
  await isReady(attempt);
  await new Promise((resolve) => setTimeout(resolve, 50));
  runtime.cancel(job.executionId, cancelled);
  expect(await attempt.outcome).toMatchObject({ status: "failed", error: { code: "EXECUTION_CANCELLED" } });
});

test("a script may not outlive its cancellation by catching everything", async () => {
  const job = await runtime.job(
    scriptOf(`ctx.emit("ready", null);
    for (;;) { try { await ctx.sleep(1); } catch { ctx.emit("caught", 1); } }`),
  );
  const attempt = runtime.start(job);
  await isReady(attempt);
  runtime.cancel(job.executionId, cancelled);
  expect(await attempt.outcome).toMatchObject({ status: "failed", error: { code: "EXECUTION_CANCELLED" } });
});

test("cancelling what does not run here is harmless", async () => {
  runtime.cancel("00000000-0000-4000-8000-ffffffffffff", cancelled);
  expect(await runtime.finish(await runtime.job(scriptOf("return 1;")))).toMatchObject({ output: "1" });
});

test("a cancelled execution whose isolate is shared leaves the others alone", async () => {
  runtime.stub.script({ delayMs: 150 }, { delayMs: 150 });
  const job = await runtime.job(
    scriptOf(`ctx.emit("ready", null);
    return (await ctx.chat.completions.create({ messages: [{ role: "user", content: "shared" }] })).choices[0].message.content;`),
  );
  const first = runtime.start({ ...job, executionId: "00000000-0000-4000-a000-000000000001" });
  const second = runtime.start({ ...job, executionId: "00000000-0000-4000-a000-000000000002" });
  await Promise.all([isReady(first), isReady(second)]);
  runtime.cancel(first.job.executionId, cancelled);
  expect(await first.outcome).toMatchObject({ status: "failed" });
  expect(await second.outcome).toMatchObject({ status: "completed", output: '"stub: shared"' });
});

test("a journal that refuses a write loses the attempt, not the server", async () => {
  const job = await runtime.job(
    scriptOf(`await ctx.chat.completions.create({ messages: [{ role: "user", content: "z" }] }); return 1;`),
  );
  const onCommit = () => {
    throw fail("CONFLICT", { message: "another holder" });
  };
  expect(await runtime.finish(job, { onCommit })).toMatchObject({ status: "lost", suspect: false });
  expect(await runtime.finish(job)).toMatchObject({ status: "completed", output: "1" });
});
