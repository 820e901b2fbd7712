import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../../runtime/index.ts";
import { parseRetries } from "../../src/engine/config/retries.ts";
import { backoffMs, failureOf } from "../../src/engine/retry.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { type FlakyHttp, startFlakyHttp } from "../support/flaky-http.ts";
import { rejectionOf } from "../support/thrown.ts";

let core: TestCore;
let upstream: FlakyHttp;

beforeAll(async () => {
  upstream = await startFlakyHttp();
  core = await startTestCore();
});

afterEach(() => {
  upstream.asked.length = 0;
});

afterAll(async () => {
  await core.close();
  upstream.close();
  expect(core.reported).toEqual([]);
});

const post = (path: string) => `await ctx.http.post("${upstream.url}${path}")`;
const script = (retries: object | null, body: string) =>
  `export const config = ${JSON.stringify(retries === null ? {} : { retries })};
  export async function execute(ctx) { ${body} }`;

const find = (executionId: string) => core.engine.findExecution({ accountId: core.accountId, executionId });

describe("an execution that fails", () => {
  test("goes on from its failed op where its config allows it, and pays for nothing twice", async () => {
    const retries = { on: ["upstream"], delay: "10ms" };
    await core.deploy("upstream", script(retries, `${post("/a")}; ctx.emit("a"); ${post("/b")}; return 1`));
    upstream.broken.set("/b", 2);
    const { executionId, result } = await core.invoke("upstream", { mode: "background" });
    expect(await result).toMatchObject({ status: "completed", output: "1" });
    expect(upstream.asked).toEqual(["/a", "/b", "/b", "/b"]);
    expect(await find(executionId)).toMatchObject({ attempts: 3, retries: 2, lastError: null, chunkCount: 1 });
  });

  test("takes an HTTP answer that says the server failed for a failed op", async () => {
    const retries = { on: ["upstream"], delay: "10ms" };
    await core.deploy("raises", script(retries, `${post("/a2")}; (${post("/b2")}).raise_for_status(); return 1`));
    upstream.unavailable.set("/b2", 1);
    const { result } = await core.invoke("raises", { mode: "background" });
    expect(await result).toMatchObject({ status: "completed" });
    expect(upstream.asked).toEqual(["/a2", "/b2", "/b2"]);
  });

  test("for a reason that is not named has failed", async () => {
    await core.deploy("plain", script(null, `${post("/c")}; return 1`));
    await core.deploy("throws", script({ on: ["upstream"], delay: "10ms" }, "throw new Error('no')"));
    upstream.broken.set("/c", 1);
    for (const ref of ["plain", "throws"]) {
      const { executionId, result } = await core.invoke(ref, { mode: "background" });
      expect(await result).toMatchObject({ status: "failed" });
      expect(await find(executionId)).toMatchObject({ attempts: 1 });
    }
  });

  test("fails in the end, after as many attempts as it may have", async () => {
    await core.deploy("never", script({ max: 2, delay: "10ms", on: ["script"] }, "throw new Error('no')"));
    const { executionId, result } = await core.invoke("never", { mode: "background" });
    expect(await result).toMatchObject({ status: "failed", error: { message: "no" } });
    expect(await find(executionId)).toMatchObject({ attempts: 3, retries: 2 });
  });

  test("shows its last error and when it is tried again, and can be cancelled meanwhile", async () => {
    await core.deploy("later", script({ delay: "1h", on: ["script"] }, "throw new Error('no')"));
    const { executionId } = await core.invoke("later", { mode: "background" });
    await expect.poll(async () => (await find(executionId)).attempts).toBe(2);
    const { state, lastError, runAt, createdAt } = await find(executionId);
    expect([state.status, lastError?.message]).toEqual(["queued", "no"]);
    expect(runAt - createdAt).toBeGreaterThan(3_500_000);
    await core.engine.cancel({ accountId: core.accountId, executionId });
    expect((await find(executionId)).state.status).toBe("cancelled");
  });

  test("keeps a caller who waits waiting, only if the script says so and the timeout allows it", async () => {
    const body = `${post("/d")}; return 1`;
    await core.deploy("waits", script({ on: ["upstream"], delay: "20ms" }, body));
    upstream.broken.set("/d", 1);
    expect(await core.run("waits")).toMatchObject({ status: "completed" });
    await core.deploy("waits-long", script({ on: ["upstream"], delay: "1h" }, body));
    upstream.broken.set("/d", 1);
    expect(await core.run("waits-long")).toMatchObject({ status: "failed", error: { code: "UPSTREAM_FAILED" } });
  });

  test("takes its nested executions along: what they did is not done again", async () => {
    await core.deploy("inner", script(null, `${post("/e")}; ${post("/f")}; return 2`));
    const call = 'return (await ctx.workflow.completions.create({ model: "workflow:inner" })).output';
    await core.deploy("outer", script({ on: ["upstream", "script"], delay: "10ms" }, call));
    upstream.broken.set("/f", 1);
    const { result } = await core.invoke("outer", { mode: "background" });
    expect(await result).toMatchObject({ status: "completed", output: "2" });
    expect(upstream.asked).toEqual(["/e", "/f", "/f"]);
  });
});

describe("what attempts used", () => {
  const ask = 'await ctx.chat.completions.create({ model: "echo", messages: [{ role: "user", content: "one two" }] })';
  const nest = (secrets: object) =>
    `return (await ctx.workflow.completions.create(${JSON.stringify({ model: "workflow:pays", secrets })})).output`;
  const RETRY = { on: ["upstream", "script"], delay: "10ms" };
  const tokensOf = async (ref: string) => {
    const { executionId, result } = await core.invoke(ref, { mode: "background", cache: "no-store" });
    expect(await result).toMatchObject({ status: "completed", output: "1" });
    const { usage, attempts } = await find(executionId);
    expect(attempts).toBe(2);
    return usage.promptTokens;
  };

  test("counts once, also when what used it is dropped and done again", async () => {
    await core.deploy("asks-once", script(null, `${ask}; return 1`));
    const once = await core.run("asks-once");
    const each = once.status === "completed" ? once.usage.promptTokens : 0;
    expect(each).toBeGreaterThan(0);
    await core.deploy("pays", script(null, `${ask}; ${post("/p")}; return 1`));
    await core.deploy("goes-on", script(RETRY, nest({})));
    upstream.broken.set("/p", 1);
    expect(await tokensOf("goes-on")).toBe(each);
    // One with secrets cannot go on: it is called anew, and both calls were paid.
    await core.deploy("calls-anew", script(RETRY, nest({ key: "abcdefgh" })));
    upstream.broken.set("/p", 1);
    expect(await tokensOf("calls-anew")).toBe(2 * each);
  });
});

describe("a failed execution", () => {
  test("is resumed from its failed op", async () => {
    await core.deploy("resumed", script(null, `${post("/g")}; ${post("/h")}; return 3`));
    upstream.broken.set("/h", 1);
    const failed = await core.invoke("resumed", { input: 1 });
    expect(await failed.result).toMatchObject({ status: "failed" });
    const { executionId } = failed;
    await core.engine.resume({ accountId: core.accountId, executionId });
    await expect.poll(async () => (await find(executionId)).state.status).toBe("completed");
    expect(await find(executionId)).toMatchObject({ attempts: 2, state: { output: "3" } });
    expect(upstream.asked).toEqual(["/g", "/h", "/h"]);
    const again = await rejectionOf(core.engine.resume({ accountId: core.accountId, executionId }));
    expect(again).toMatchObject({ code: "CONFLICT", message: expect.stringContaining("it is completed, not failed") });
  });

  test("of another account, or with secrets, is not", async () => {
    await core.deploy("secret", script(null, "throw new Error('no')"));
    const plain = await core.invoke("secret");
    const secret = await core.invoke("secret", { secrets: { key: "abcdefgh" } });
    await Promise.all([plain.result, secret.result]);
    const resume = (executionId: string, accountId = core.accountId) =>
      rejectionOf(core.engine.resume({ accountId, executionId }));
    expect(await resume(plain.executionId, "other")).toMatchObject({ code: "EXECUTION_NOT_FOUND" });
    expect(await resume(secret.executionId)).toMatchObject({ code: "CONFLICT", message: /secrets/ });
  });

  test("has its timeout anew", async () => {
    await core.deploy("slow", script(null, `await ctx.sleep(300); ${post("/i")}; return 4`));
    upstream.broken.set("/i", 1);
    const failed = await core.invoke("slow", { timeoutMs: 3_000 });
    expect(await failed.result).toMatchObject({ error: { code: "UPSTREAM_FAILED" } });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await core.engine.resume({ accountId: core.accountId, executionId: failed.executionId });
    await expect.poll(async () => (await find(failed.executionId)).state.status).toBe("completed");
  });
});

test("failures are told apart by whose they are; some are final", () => {
  const of = (code: ErrorCode) => failureOf({ code, message: "", details: {} });
  expect(of("INTERNAL")).toBe("infrastructure");
  expect(of("UPSTREAM_TIMEOUT")).toBe("upstream");
  expect(of("MEMORY_LIMIT_EXCEEDED")).toBe("script");
  for (const code of ["SECRETS_LOST", "EXECUTION_CANCELLED", "EXECUTION_TIMEOUT", "BUDGET_EXCEEDED"] as const)
    expect(of(code)).toBeNull();
});

test("the wait doubles up to its limit, or stays", () => {
  const waits = (retries: object) => {
    const rules = parseRetries("retries", retries);
    return rules === null ? [] : [0, 1, 2, 3, 50].map((count) => backoffMs(rules, count));
  };
  expect(waits({ delay: "1s", maxDelay: "6s" })).toEqual([1_000, 2_000, 4_000, 6_000, 6_000]);
  expect(waits({ delay: "1s", backoff: "fixed" })).toEqual([1_000, 1_000, 1_000, 1_000, 1_000]);
});
