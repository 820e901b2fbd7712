import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { untilStatus as until } from "../waiting.ts";
import { type SpendingCore, spending, startSpendingCore } from "./spending-core.ts";

let core: SpendingCore;
beforeAll(async () => {
  core = await startSpendingCore();
});
afterAll(() => core.close());
afterEach(() => {
  core.stub.always({});
  expect(core.reported).toEqual([]);
});

const find = (executionId: string) => core.engine.findExecution({ accountId: core.accountId, executionId });
const end = async (executionId: string) => {
  await until(core, executionId, "completed");
  const { state } = await find(executionId);
  return state.status === "completed" ? JSON.parse(state.output ?? "null") : null;
};
/** Calls that the stub got since `from`. */
const callsSince = (from: number) => core.stub.calls.length - from;

test("a caller who waits is told at once; the run goes on after a top-up without paying twice", async () => {
  await core.deploy(
    "steps",
    spending({ calls: 2 }, `const said = []; for (const n of [1, 2, 3]) said.push(await ask("n" + n)); return said;`),
  );
  const from = core.stub.calls.length;
  const called = await core.invoke("steps");
  expect(await called.result).toMatchObject({
    status: "failed",
    error: {
      code: "BUDGET_EXCEEDED",
      details: { limit: "budget.calls", max: 2, spent: 2, reserved: 0, needed: 1, waiting: called.executionId },
    },
  });
  expect((await find(called.executionId)).state).toMatchObject({
    status: "waiting",
    until: null,
    shortage: { unit: "calls" },
  });
  expect(await core.balance(called.executionId)).toMatchObject({
    limits: { calls: 2 },
    spent: { calls: 2, tokens: 30 },
  });
  expect(await core.add(called.executionId, { calls: 1 }, "once")).toEqual({ repeated: false });
  expect(await core.add(called.executionId, { calls: 1 }, "once")).toEqual({ repeated: true });
  expect(await end(called.executionId)).toEqual(["stub: n1", "stub: n2", "stub: n3"]);
  expect(callsSince(from)).toBe(3);
  expect(await core.balance(called.executionId)).toMatchObject({
    limits: { calls: 3 },
    spent: { calls: 3 },
    reserved: { calls: 0, tokens: 0 },
  });
});

test("parallel calls do not pass the limit together; those that may fit wait for the others", async () => {
  core.stub.always({ delayMs: 30 });
  await core.deploy(
    "fan",
    spending(
      { tokens: 1_000 },
      `return (await Promise.all(Array.from({ length: 40 }, (_, n) => ask("n" + n)))).length;`,
    ),
  );
  const from = core.stub.calls.length;
  const called = await core.invoke("fan");
  // Each may take about 210 tokens and takes 15.
  expect(await called.result).toMatchObject({ status: "completed", output: "40" });
  expect(callsSince(from)).toBe(40);
  expect(await core.balance(called.executionId)).toMatchObject({
    spent: { tokens: 600, calls: 40 },
    reserved: { tokens: 0 },
  });
});

test("what is left over after a fan decides how much of it is made", async () => {
  await core.deploy(
    "many",
    spending({ calls: 7 }, `return (await Promise.all(Array.from({ length: 10 }, (_, n) => ask("n" + n)))).length;`),
  );
  const from = core.stub.calls.length;
  const called = await core.invoke("many", { mode: "background" });
  await until(core, called.executionId, "waiting");
  expect(callsSince(from)).toBe(7);
  await core.add(called.executionId, { calls: 2 });
  await expect.poll(() => callsSince(from)).toBe(9);
  await until(core, called.executionId, "waiting");
  await core.add(called.executionId, { calls: 5 });
  expect(await end(called.executionId)).toBe(10);
  expect(callsSince(from)).toBe(10);
});

test("the stricter of the script's and the caller's budget holds", async () => {
  await core.deploy("loose", spending({ calls: 5, usd: 1 }, `for (let n = 0; n < 9; n++) await ask("n" + n);`));
  const called = await core.invoke("loose", { budget: { nanoUsd: null, tokens: null, calls: 3 } });
  expect(await called.result).toMatchObject({ error: { details: { limit: "budget.calls", max: 3 } } });
  expect((await core.balance(called.executionId)).limits).toEqual({ nanoUsd: 1e9, tokens: null, calls: 3 });
});

test("dollars are counted in billionths, and a model without a price is refused where dollars are", async () => {
  await core.deploy(
    "dollars",
    spending(
      { usd: 0.001 },
      `
    await ask("one");
    return [await ask("two", { model: "free" }), await ask("x", { model: "unpriced" }).catch((error) => error.code + ": " + error.message)];`,
    ),
  );
  const called = await core.invoke("dollars");
  expect(await called.result).toMatchObject({ status: "completed" });
  const { spent } = await core.balance(called.executionId);
  expect(spent).toEqual({ nanoUsd: 15_000, tokens: 30, calls: 2 });
  expect(await end(called.executionId)).toEqual([
    "stub: two",
    expect.stringMatching(/^INVALID_ARGUMENT: .*WEFT_MODELS/),
  ]);
});

test("each attempt counts, and one that the other side answered with an error costs no tokens", async () => {
  await core.deploy("retried", spending({ calls: 3, tokens: 10_000 }, `return ask("one");`));
  core.stub.script({ status: 500, headers: { "retry-after": "0" } });
  const called = await core.invoke("retried");
  expect(await called.result).toMatchObject({ status: "completed" });
  expect((await core.balance(called.executionId)).spent).toEqual({ nanoUsd: 15_000, tokens: 15, calls: 2 });
});

test("an attempt whose answer got lost counts with the most that it may have cost", async () => {
  await core.deploy("lost", spending({ tokens: 10_000 }, `return ask("one");`));
  core.stub.script({ cut: "before" });
  const called = await core.invoke("lost");
  expect(await called.result).toMatchObject({ status: "completed" });
  const { spent } = await core.balance(called.executionId);
  expect(spent.calls).toBe(2);
  expect(spent.tokens).toBeGreaterThan(100);
  expect(spent.tokens).toBeLessThan(400);
});

test("a stream counts at its end, one that breaks counts what was seen of it", async () => {
  const script = (more: string) =>
    spending(
      { tokens: 10_000 },
      `
    const stream = await ctx.chat.completions.create({ model: "free", max_tokens: 500, stream: true, messages: [{ role: "user", content: "a b c d e f" }] });
    let seen = 0;
    try { for await (const chunk of stream) { seen++; ${more} } } catch (error) { return error.code; }
    return seen;`,
    );
  await core.deploy("whole", script(""));
  const whole = await core.invoke("whole");
  expect(await whole.result).toMatchObject({ status: "completed" });
  expect((await core.balance(whole.executionId)).spent.tokens).toBe(15);
  core.stub.script({ cut: 3 });
  const broken = await core.invoke("whole", { cache: "no-store" });
  expect(await broken.result).toMatchObject({ status: "completed", output: '"UPSTREAM_FAILED"' });
  const { spent, reserved } = await core.balance(broken.executionId);
  expect(reserved.tokens).toBe(0);
  expect(spent.tokens).toBeGreaterThan(100);
  expect(spent.tokens).toBeLessThan(500);
  await core.deploy("left", script("if (seen === 2) break;"));
  core.stub.script({ chunkDelayMs: 20 });
  const left = await core.invoke("left");
  expect(await left.result).toMatchObject({ status: "completed", output: "2" });
  await expect.poll(async () => (await core.balance(left.executionId)).reserved.tokens).toBe(0);
  expect((await core.balance(left.executionId)).spent.tokens).toBeLessThan(500);
});

describe("nested executions", () => {
  test("spend the budget of the one that calls them, and it waits with them", async () => {
    await core.deploy(
      "inner",
      spending({}, `const said = []; for (const n of [1, 2]) said.push(await ask(ctx.input + n)); return said;`),
    );
    await core.deploy(
      "outer",
      spending(
        { calls: 3 },
        `
      const inner = async (input) => (await ctx.workflow.completions.create({ model: "workflow:inner", input })).output;
      return [await inner("a"), await inner("b")];`,
      ),
    );
    const from = core.stub.calls.length;
    const called = await core.invoke("outer");
    expect(await called.result).toMatchObject({
      error: { code: "BUDGET_EXCEEDED", details: { execution_id: called.executionId } },
    });
    expect((await find(called.executionId)).state).toMatchObject({
      status: "waiting",
      shortage: { limit: 3, spent: 3 },
    });
    await core.add(called.executionId, { calls: 1 });
    expect(await end(called.executionId)).toEqual([
      ["stub: a1", "stub: a2"],
      ["stub: b1", "stub: b2"],
    ]);
    expect(callsSince(from)).toBe(4);
  });

  test("may have less than the one that calls them; a top-up finds the right budget", async () => {
    await core.deploy("poor", spending({ calls: 1 }, `return [await ask("1"), await ask("2")];`));
    await core.deploy(
      "rich",
      spending(
        { calls: 9 },
        `return (await ctx.workflow.completions.create({ model: "workflow:poor", input: 1 })).output;`,
      ),
    );
    const called = await core.invoke("rich");
    const result = await called.result;
    expect(result).toMatchObject({ error: { details: { max: 1, spent: 1 } } });
    const child = result.status === "completed" ? "" : String(result.error.details["execution_id"]);
    expect(child).not.toBe(called.executionId);
    await core.add(child, { calls: 1 });
    expect(await end(called.executionId)).toEqual(["stub: 1", "stub: 2"]);
    expect(await core.balance(called.executionId)).toMatchObject({ spent: { calls: 2 } });
  });

  test("that are short stay so when more is given to another run of the account", async () => {
    await core.deploy("other", spending({ calls: 0 }, `return ask("other");`));
    await core.deploy("broke", spending({ calls: 0 }, `return ask("broke");`));
    await core.deploy("slow", spending({}, `return ask("slow");`));
    await core.deploy(
      "both",
      spending(
        { calls: 9 },
        `const below = async (model) => (await ctx.workflow.completions.create({ model, input: 1 })).output;
      return Promise.all([below("workflow:broke"), below("workflow:slow")]);`,
      ),
    );
    const other = await core.invoke("other");
    await other.result;
    core.stub.always((body) => (JSON.stringify(body).includes('"slow"') ? { delayMs: 3_000 } : {}));
    const called = await core.invoke("both");
    const page = { limit: 9, offset: 0, after: null };
    const below = async (ref: string) =>
      (
        await core.store.listExecutions({
          accountId: core.accountId,
          filter: { parentId: called.executionId },
          ...page,
        })
      ).items.find((one) => one.ref === ref);
    await expect.poll(async () => (await below("broke"))?.state.status).toBe("waiting");
    await core.add(other.executionId, { calls: 1 });
    await end(other.executionId);
    expect(await called.result).toMatchObject({ error: { code: "BUDGET_EXCEEDED", details: { max: 0 } } });
    expect((await find(called.executionId)).state).toMatchObject({ status: "waiting", shortage: { limit: 0 } });
    await core.add((await below("broke"))?.id ?? "", { calls: 1 });
    expect(await end(called.executionId)).toEqual(["stub: broke", "stub: slow"]);
  });
});

test("a parked run can be cancelled, and nothing is added to one that is over", async () => {
  await core.deploy("short", spending({ calls: 0 }, `return ask("1");`));
  const called = await core.invoke("short");
  expect(await called.result).toMatchObject({ error: { code: "BUDGET_EXCEEDED" } });
  await core.engine.cancel({ accountId: core.accountId, executionId: called.executionId });
  expect((await find(called.executionId)).state).toMatchObject({ status: "cancelled" });
  await expect(core.add(called.executionId, { calls: 1 })).rejects.toMatchObject({ code: "CONFLICT" });
});

test("nothing is added where there is no limit, by a stranger, or under a key that meant something else", async () => {
  await core.deploy("only", spending({ calls: 0 }, `return ask("1");`));
  const { executionId, result } = await core.invoke("only");
  await result;
  await expect(core.add(executionId, { tokens: 5 })).rejects.toMatchObject({
    code: "INVALID_REQUEST",
    details: { param: "add.tokens" },
  });
  const stranger = {
    accountId: "a stranger",
    target: { executionId },
    add: { nanoUsd: null, tokens: null, calls: 1 },
    idempotencyKey: null,
  };
  await expect(core.budgets.topUp(stranger)).rejects.toMatchObject({ code: "EXECUTION_NOT_FOUND" });
  expect(await core.budgets.balance({ accountId: "a stranger", executionId })).toBeNull();
  await core.add(executionId, { calls: 0 }, "key");
  await expect(core.add(executionId, { calls: 1 }, "key")).rejects.toMatchObject({ code: "CONFLICT" });
});

test("a call with the idempotency key of a parked run is told that it waits, and joins it once it goes on", async () => {
  await core.deploy("keyed", spending({ calls: 0 }, `return ask("1");`));
  const first = await core.invoke("keyed", { idempotencyKey: "k" });
  await first.result;
  const again = await core.invoke("keyed", { idempotencyKey: "k" });
  expect(again.executionId).toBe(first.executionId);
  expect(await again.result).toMatchObject({
    error: { code: "BUDGET_EXCEEDED", details: { waiting: first.executionId } },
  });
  await core.add(first.executionId, { calls: 1 });
  await until(core, first.executionId, "completed");
  expect(await (await core.invoke("keyed", { idempotencyKey: "k" })).result).toMatchObject({ status: "completed" });
});
