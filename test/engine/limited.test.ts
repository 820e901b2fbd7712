import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";
import { rejectionOf } from "../support/thrown.ts";

let core: TestCore;

beforeAll(async () => {
  core = await startTestCore();
});

afterAll(async () => {
  await core.close();
  expect(core.reported).toEqual([]);
});

const find = (executionId: string) => core.engine.findExecution({ accountId: core.accountId, executionId });
const deploy = (ref: string, config: object, body = "await ctx.sleep(ctx.input?.ms ?? 50); return ctx.input") =>
  core.deploy(ref, `export const config = ${JSON.stringify(config)};\nexport async function execute(ctx) { ${body} }`);

/** Starts and ends of executions, as the store tells them. */
async function spans(ids: readonly string[]): Promise<readonly (readonly [number, number])[]> {
  const found = await Promise.all(ids.map(find));
  return found.map(({ state }) => ("finishedAt" in state ? [state.startedAt ?? 0, state.finishedAt] : [0, 0]));
}

const most = (all: readonly (readonly [number, number])[]) =>
  Math.max(...all.map(([at]) => all.filter(([from, to]) => from <= at && at < to).length));

describe("concurrency", () => {
  test("is exact for direct and background calls together", async () => {
    await deploy("two", { concurrency: { limit: 2 } });
    const modes = ["sync", "background", "sync", "background", "sync", "background"] as const;
    const all = await Promise.all(
      modes.map((mode, n) => core.invoke("two", { mode, input: { n }, cache: "no-store" })),
    );
    const results = await Promise.all(all.map(({ result }) => result));
    expect(results.map(({ status }) => status)).toEqual(Array(6).fill("completed"));
    expect(most(await spans(all.map(({ executionId }) => executionId)))).toBeLessThanOrEqual(2);
  });

  test("is counted per key", async () => {
    await deploy("keyed", { concurrency: { limit: 1, key: "input.customer" } });
    const call = (customer: string, ms: number) => core.invoke("keyed", { input: { customer, ms }, cache: "no-store" });
    const busy = await call("a", 3_000);
    const other = await call("b", 1);
    expect(await other.result).toMatchObject({ status: "completed" });
    const behind = await call("a", 1);
    expect((await find(behind.executionId)).state.status).toBe("queued");
    await busy.cancel();
    expect(await behind.result).toMatchObject({ status: "completed" });
  });

  test("keeps a caller waiting no longer than its timeout, and takes a wish to stop", async () => {
    await deploy("one", { concurrency: { limit: 1 } });
    const busy = await core.invoke("one", { input: { ms: 3_000 }, cache: "no-store" });
    const late = await core.invoke("one", { input: { n: 1 }, timeoutMs: 100 });
    expect(await late.result).toMatchObject({ status: "failed", error: { code: "EXECUTION_TIMEOUT" } });
    expect((await find(late.executionId)).state.status).toBe("failed");
    const left = await core.invoke("one", { input: { n: 2 } });
    await left.cancel();
    expect(await left.result).toMatchObject({ status: "cancelled" });
    await busy.cancel();
  });

  test("lets callers who wait go before background calls, and these by priority", async () => {
    await deploy("order", { concurrency: { limit: 1 } });
    const busy = await core.invoke("order", { input: { ms: 1_500 }, cache: "no-store" });
    const wait = { input: { ms: 1 }, cache: "no-store" } as const;
    const low = await core.invoke("order", { ...wait, mode: "background" });
    const high = await core.invoke("order", { ...wait, mode: "background", priority: 9 });
    const direct = await core.invoke("order", wait);
    const ids = [direct, high, low].map(({ executionId }) => executionId);
    await busy.cancel();
    await Promise.all([low.result, high.result, direct.result]);
    const starts = (await spans(ids)).map(([at]) => at);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect((await find(direct.executionId)).priority).toBe(500);
  });

  test("does not hold nested calls: their callers could wait for each other", async () => {
    const body = `if (ctx.input.depth === 0) return 0;
      const child = { model: "workflow:self", input: { depth: ctx.input.depth - 1 } };
      return 1 + (await ctx.workflow.completions.create(child)).output`;
    await deploy("self", { concurrency: { limit: 1 } }, body);
    expect(await core.run("self", { input: { depth: 3 } })).toMatchObject({ output: "3" });
  });

  test("gives a slot back while its holder sleeps for long", async () => {
    await deploy("sleeper", { concurrency: { limit: 1 } });
    const sleeping = await core.invoke("sleeper", { input: { ms: 3_600_000 }, mode: "background" });
    await expect.poll(async () => (await find(sleeping.executionId)).state.status).toBe("waiting");
    expect(await core.run("sleeper", { input: { ms: 1 } })).toMatchObject({ status: "completed" });
    await core.engine.cancel({ accountId: core.accountId, executionId: sleeping.executionId });
  });
});

describe("a rate limit", () => {
  test("spreads background calls and refuses callers who would wait, saying for how long", async () => {
    await deploy("rated", { rateLimit: { limit: 2, period: "2s" } }, "return ctx.input");
    const call = (n: number) => core.invoke("rated", { input: n, mode: "background", cache: "no-store" });
    const all = await Promise.all([1, 2, 3, 4].map(call));
    await Promise.all([all[0]?.result, all[1]?.result]);
    const refused = await rejectionOf(core.invoke("rated", { input: 6, cache: "no-store" }));
    expect(refused).toMatchObject({
      code: "RATE_LIMITED",
      details: { retry_after: expect.any(Number), limit: "rateLimit.limit", value: 2 },
    });
    await Promise.all(all.map(({ result }) => result));
    const starts = (await spans(all.map(({ executionId }) => executionId))).map(([at]) => at).sort((a, b) => a - b);
    for (const [at, start] of starts.entries())
      if (at >= 2) expect(start - (starts[at - 2] ?? 0)).toBeGreaterThanOrEqual(2_000);
  });

  test("does not count what the cache answers", async () => {
    await deploy("cached", { rateLimit: { limit: 1, period: "1h" } }, "return 1");
    expect(await core.run("cached", { input: 1 })).toMatchObject({ status: "completed" });
    expect(await core.run("cached", { input: 1 })).toMatchObject({ status: "completed" });
    expect(await rejectionOf(core.run("cached", { input: 2 }))).toMatchObject({ code: "RATE_LIMITED" });
  });
});

describe("a debounce", () => {
  test("makes background calls of a key one execution with the last input", async () => {
    await deploy("bounced", { debounce: { key: "input.id", delay: "300ms" } }, "return ctx.input");
    const call = (id: number, n: number) => core.invoke("bounced", { input: { id, n }, mode: "background" });
    const calls = [await call(1, 1), await call(2, 2), await call(1, 3), await call(1, 4)];
    expect(calls.map(({ debounced }) => debounced)).toEqual([false, false, true, true]);
    expect(new Set(calls.map(({ executionId }) => executionId)).size).toBe(2);
    expect(await calls[3]?.result).toMatchObject({ output: '{"id":1,"n":4}' });
    expect(await calls[0]?.result).toMatchObject({ output: '{"id":1,"n":4}' });
    expect(await calls[1]?.result).toMatchObject({ output: '{"id":2,"n":2}' });
  });

  test("takes the secrets of the last call, and leaves callers who wait alone", async () => {
    await deploy("secretly", { debounce: { delay: "200ms" } }, "return ctx.secrets.key ?? 'none'");
    const first = await core.invoke("secretly", { mode: "background", secrets: { key: "first-secret" } });
    const last = await core.invoke("secretly", { mode: "background", secrets: { key: "last-secret" } });
    expect(last.executionId).toBe(first.executionId);
    expect(await core.run("secretly", { cache: "no-store" })).toMatchObject({ output: '"none"' });
    expect(await last.result).toMatchObject({ status: "completed" });
  });

  test("leaves calls with an idempotency key alone", async () => {
    const key = (idempotencyKey: string) => core.invoke("secretly", { mode: "background", idempotencyKey });
    const [one, two] = [await key("k1"), await key("k2")];
    expect([one.debounced, two.debounced, one.executionId === two.executionId]).toEqual([false, false, false]);
  });
});

describe("a delay", () => {
  test("is kept, and is for background calls only", async () => {
    await deploy("delayed", {}, "return Date.now()");
    const runAt = Date.now() + 400;
    const { executionId, result } = await core.invoke("delayed", { mode: "background", runAt });
    expect(await find(executionId)).toMatchObject({ state: { status: "queued" }, runAt });
    const { output } = (await result) as { readonly output: string };
    expect(Number(output)).toBeGreaterThanOrEqual(runAt);
    const refusals = [{ runAt }, { mode: "background", runAt: Date.now() + 400 * 86_400_000 }] as const;
    for (const more of refusals) {
      expect(await rejectionOf(core.invoke("delayed", more))).toMatchObject({
        code: "INVALID_REQUEST",
        details: { param: "run_at" },
      });
    }
  });
});

test("more background calls than may wait are refused, naming the limit", async () => {
  const small = await startTestCore({ WEFT_MAX_JOBS: "2" });
  await small.deploy("job", "export const execute = () => 1");
  const call = () => small.invoke("job", { mode: "background", runAt: Date.now() + 3_600_000 });
  await call();
  const second = await call();
  const refused = await rejectionOf(call());
  expect(refused).toMatchObject({ code: "RATE_LIMITED", details: { limit: "maxJobs", value: 2, retry_after: 10 } });
  expect(await small.run("job")).toMatchObject({ status: "completed" });
  await small.engine.cancel({ accountId: small.accountId, executionId: second.executionId });
  await call();
  await small.close();
});
