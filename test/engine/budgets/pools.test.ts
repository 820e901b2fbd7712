import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { nextMidnight } from "../../../src/engine/budgets/ledger.ts";
import { testKey } from "../../support/keys.ts";
import { untilStatus } from "../waiting.ts";
import { type SpendingCore, spending, startSpendingCore } from "./spending-core.ts";

/** Noon of some day that is certain to come; only the server's main thread is there already. */
const NOON = nextMidnight(Date.now() + 3 * 86_400_000) + 43_200_000;
const LATER = nextMidnight(NOON) + 1_000;

let core: SpendingCore;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON });
  core = await startSpendingCore();
  await core.deploy(
    "calls",
    spending({}, `for (let n = 0; n < ctx.input.calls; n++) await ask("n" + n); return "done";`),
  );
});
afterEach(async () => {
  expect(core.reported).toEqual([]);
  await core.close();
  vi.useRealTimers();
});

const put = (key: string | null, calls: number | null, accountId = core.accountId) =>
  core.budgets.putPools({
    accountId,
    pools: [{ key, limits: calls === null ? null : { nanoUsd: null, tokens: null, calls } }],
  });
const call = (calls: number, more = {}) => core.invoke("calls", { input: { calls }, cache: "no-store", ...more });
const find = (executionId: string) => core.engine.findExecution({ accountId: core.accountId, executionId });
const spent = async (key: string | null) =>
  (await core.budgets.pools(core.accountId)).find((pool) => pool.key === key)?.balance.spent.calls;

describe("a daily pool", () => {
  test("lets a run wait for the next day, in which it goes on without paying twice", async () => {
    await put(null, 3);
    const called = await call(5);
    expect(await called.result).toMatchObject({
      status: "failed",
      error: { code: "BUDGET_EXCEEDED", details: { of: "account", limit: "budget.calls", max: 3, spent: 3 } },
    });
    expect((await find(called.executionId)).state).toMatchObject({ status: "waiting", until: nextMidnight(NOON) });
    expect(core.stub.calls.length).toBe(3);
    vi.setSystemTime(LATER);
    expect(await spent(null)).toBe(0);
    // Timers are real here: another call lets the server look what is due.
    await (await call(0, { mode: "background" })).result;
    await untilStatus(core, called.executionId, "completed");
    expect(core.stub.calls.length).toBe(5);
    expect(await spent(null)).toBe(2);
  });

  test("refuses calls that find nothing left, says when to come back, and is not asked for cached results", async () => {
    await core.deploy("pure", `export const execute = () => 1;`);
    await core.run("pure");
    await put(null, 0);
    await expect(call(1)).rejects.toMatchObject({
      code: "BUDGET_EXCEEDED",
      details: { of: "account", max: 0, retry_after: (nextMidnight(NOON) - NOON) / 1_000 },
    });
    await expect(call(1, { mode: "background" })).rejects.toMatchObject({ code: "BUDGET_EXCEEDED" });
    expect(await core.run("pure")).toMatchObject({ status: "completed" });
    vi.setSystemTime(LATER);
    await put(null, 1);
    expect(await (await call(1)).result).toMatchObject({ status: "completed" });
  });

  test("grows for today only, and lets those go on that wait for it", async () => {
    await put(null, 1);
    const called = await call(2);
    await called.result;
    const { accountId } = core;
    const add = { nanoUsd: null, tokens: null, calls: 4 };
    await core.budgets.topUp({ accountId, target: { key: null }, add, idempotencyKey: null });
    await untilStatus(core, called.executionId, "completed");
    const [pool] = await core.budgets.pools(accountId);
    expect(pool?.balance).toMatchObject({ limits: { calls: 5 }, spent: { calls: 2 } });
    vi.setSystemTime(LATER);
    expect((await core.budgets.pools(accountId))[0]?.balance).toMatchObject({
      limits: { calls: 1 },
      spent: { calls: 0 },
    });
  });

  test("of an API key counts the calls of that key alone, those of nested runs too", async () => {
    await core.deploy(
      "outer",
      spending(
        {},
        `await ask("own"); return (await ctx.workflow.completions.create({ model: "workflow:calls", input: { calls: 2 } })).output;`,
      ),
    );
    const hash = createHash("sha256").update("key").digest("hex");
    await core.store.addKey({ accountId: core.accountId, hash, key: testKey("owner"), createdAt: NOON });
    await put("owner", 3);
    expect(await (await core.invoke("outer", { key: "owner" })).result).toMatchObject({ status: "completed" });
    expect(await spent("owner")).toBe(3);
    await expect(call(1, { key: "owner" })).rejects.toMatchObject({
      code: "BUDGET_EXCEEDED",
      details: { of: "key", key: "owner" },
    });
    expect(await (await call(1, { key: "another" })).result).toMatchObject({ status: "completed" });
    expect(await (await call(1)).result).toMatchObject({ status: "completed" });
    expect(await spent("owner")).toBe(3);
    await put("owner", null);
    expect(await (await call(1, { key: "owner" })).result).toMatchObject({ status: "completed" });
  });

  test("of an API key pays for what that key forks, whoever called the origin", async () => {
    const hash = createHash("sha256").update("key").digest("hex");
    await core.store.addKey({ accountId: core.accountId, hash, key: testKey("owner"), createdAt: NOON });
    await put("owner", 1);
    const called = await call(2);
    await called.result;
    const { accountId } = core;
    const asked = {
      accountId,
      executionId: called.executionId,
      version: null,
      set: {},
      secrets: {},
      idempotencyKey: null,
    };
    const free = await core.engine.fork({ ...asked, at: 0, key: "another" });
    await untilStatus(core, free, "completed");
    const fork = await core.engine.fork({ ...asked, at: 0, key: "owner" });
    await untilStatus(core, fork, "waiting");
    expect(await spent("owner")).toBe(1);
    await expect(core.engine.fork({ ...asked, at: 0, key: "owner" })).rejects.toMatchObject({
      code: "BUDGET_EXCEEDED",
      details: { of: "key", key: "owner" },
    });
    await put("owner", 2);
    await untilStatus(core, fork, "completed");
  });

  test("is for keys that exist, and of its own account", async () => {
    await expect(put("nobody", 1)).rejects.toMatchObject({ code: "INVALID_REQUEST", details: { param: "keys" } });
    await put(null, 0, "a stranger");
    expect(await core.budgets.pools(core.accountId)).toEqual([]);
    expect(await (await call(1)).result).toMatchObject({ status: "completed" });
  });
});
