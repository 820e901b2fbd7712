import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Chunk } from "../../runtime/index.ts";
import { startTestCore, type TestCore } from "../support/core.ts";

let core: TestCore;
let upstream: Server;
let url: string;
let calls = 0;

beforeAll(async () => {
  upstream = createServer((_request, response) => {
    calls++;
    setTimeout(() => response.end(String(calls)), 30);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/`;
  core = await startTestCore();
  await core.deploy(
    "pure",
    'export async function execute(ctx) { ctx.emit("p", ctx.input); return { twice: ctx.input * 2 } }',
  );
  await core.deploy("clock", "export async function execute() { return Date.now() }");
  await core.deploy("random", "export async function execute() { return Math.random() }");
  await core.deploy("session", "export async function execute(ctx) { return ctx.session_id }");
  await core.deploy("failing", 'export async function execute() { throw new Error("no") }');
  await core.deploy("fetching", "export async function execute(ctx) { return (await ctx.http.get(ctx.input)).text() }");
  await core.deploy(
    "asked",
    'export const config = { cache: { ttl: "1h" } };\nexport async function execute(ctx) { return (await ctx.http.get(ctx.input)).text() }',
  );
});

afterAll(async () => {
  await core.close();
  upstream.close();
  expect(core.reported).toEqual([]);
});

const cacheOf = async (ref: string, more?: Parameters<TestCore["invoke"]>[1]) => {
  const invocation = await core.invoke(ref, more);
  const result = await invocation.result;
  return { cache: invocation.cache, result, invocation };
};

describe("a pure run", () => {
  test("is cached by default; a hit is an execution of its own that cost nothing", async () => {
    const first = await cacheOf("pure", { input: 1 });
    const second = await cacheOf("pure", { input: 1 });
    expect([first.cache, second.cache]).toEqual(["miss", "hit"]);
    expect(second.result).toMatchObject({ output: '{"twice":2}', usage: { cpuMs: 0 } });
    expect(second.invocation.executionId).not.toBe(first.invocation.executionId);
    const { accountId } = core;
    const row = await core.engine.findExecution({ accountId, executionId: second.invocation.executionId });
    expect(row.state).toMatchObject({ status: "completed", cached: true });
  });

  test("is replayed with its chunks to a stream", async () => {
    await core.run("pure", { input: 7 });
    const invocation = await core.invoke("pure", { input: 7, mode: "stream" });
    const seen: Chunk[] = [];
    invocation.subscribe((chunks) => seen.push(...chunks));
    await invocation.result;
    expect(invocation.cache).toBe("hit");
    expect(seen).toMatchObject([{ index: 0, content: "7" }]);
  });

  test("is not shared by other inputs, secrets or a new version", async () => {
    await core.run("pure", { input: 2 });
    expect((await cacheOf("pure", { input: 3 })).cache).toBe("miss");
    expect((await cacheOf("pure", { input: 2, metadata: { a: 1 } })).cache).toBe("miss");
    expect((await cacheOf("pure", { input: 2, secrets: { key: "value-1" } })).cache).toBe("miss");
    expect((await cacheOf("pure", { input: 2, secrets: { key: "value-2" } })).cache).toBe("miss");
    expect((await cacheOf("pure", { input: 2, secrets: { key: "value-1" } })).cache).toBe("hit");
  });

  test("is run again with no-store, and replaced with reload", async () => {
    await core.run("pure", { input: 4 });
    expect((await cacheOf("pure", { input: 4, cache: "no-store" })).cache).toBe("bypass");
    expect((await cacheOf("pure", { input: 4, cache: "reload" })).cache).toBe("miss");
    expect((await cacheOf("pure", { input: 4 })).cache).toBe("hit");
  });

  test("is not cached where the workflow's setting says so", async () => {
    const set = (enabled: boolean) =>
      core.workflows.update({ accountId: core.accountId, key: "pure", settings: { cache: { enabled, ttlMs: null } } });
    await core.run("pure", { input: 5 });
    await set(false);
    expect((await cacheOf("pure", { input: 5 })).cache).toBe("bypass");
    await set(true);
    expect((await cacheOf("pure", { input: 5 })).cache).toBe("hit");
  });

  test("is served to a background call, too", async () => {
    await core.run("pure", { input: 6 });
    const { cache, result } = await cacheOf("pure", { input: 6, mode: "background" });
    expect([cache, result.status]).toEqual(["hit", "completed"]);
  });
});

test.each(["clock", "random", "session"])("a run that read its %s is not cached", async (ref) => {
  await core.run(ref);
  expect((await cacheOf(ref)).cache).toBe("miss");
});

test("a failed run is not cached", async () => {
  await core.run("failing");
  expect((await cacheOf("failing")).cache).toBe("miss");
});

describe("a run that touched the outside world", () => {
  test("is not cached by default", async () => {
    const first = await core.run("fetching", { input: url });
    expect(first.status).toBe("completed");
    expect(await core.run("fetching", { input: url })).not.toMatchObject({
      output: first.status === "completed" && first.output,
    });
  });

  test("is cached where the script says so", async () => {
    const first = await core.run("asked", { input: `${url}a` });
    const before = calls;
    expect(await cacheOf("asked", { input: `${url}a` })).toMatchObject({
      cache: "hit",
      result: { content: first.status === "completed" && first.content },
    });
    expect(calls).toBe(before);
  });

  test("is shared by identical calls in flight", async () => {
    const before = calls;
    const all = await Promise.all(Array.from({ length: 20 }, () => cacheOf("asked", { input: `${url}b` })));
    expect(calls).toBe(before + 1);
    expect(new Set(all.map(({ result }) => result.status === "completed" && result.content)).size).toBe(1);
    expect(all.filter(({ cache }) => cache === "hit")).toHaveLength(19);
    expect(new Set(all.map(({ invocation }) => invocation.executionId)).size).toBe(20);
  });

  test("is run by each of them when the first one fails", async () => {
    await core.deploy(
      "flaky",
      'export const config = { cache: { ttl: "1h" } };\nexport async function execute(ctx) { await ctx.http.get(ctx.input); throw new Error("no") }',
    );
    const before = calls;
    const all = await Promise.all(Array.from({ length: 5 }, () => core.run("flaky", { input: url })));
    expect(all.map((result) => result.status)).toEqual(Array(5).fill("failed"));
    expect(calls).toBe(before + 5);
  });

  test("does not wait for a run that has touched something outside", async () => {
    await core.deploy("tiny", "export async function execute() { return 1 }");
    await core.deploy(
      "mixed",
      `export async function execute(ctx) {
        if (ctx.input !== 0) await ctx.workflow.completions.create({ model: "workflow:tiny" });
        if (ctx.input !== 0) await ctx.sleep(3000);
        return ctx.input;
      }`,
    );
    await core.run("mixed", { input: 0 });
    const leader = await core.invoke("mixed", { input: 1 });
    const follower = await core.invoke("mixed", { input: 1 });
    const { accountId, engine } = core;
    const find = async () => {
      const found = await engine.findExecution({ accountId, executionId: follower.executionId }).catch(() => null);
      return found?.state.status;
    };
    await expect.poll(find).toBe("running");
    await Promise.all([leader.result, follower.result]);
  });

  test("keeps those who wait to their own timeout", async () => {
    await core.deploy(
      "sleepy",
      'export const config = { cache: { ttl: "1h" } };\nexport async function execute(ctx) { await ctx.sleep(3000); return 1 }',
    );
    const leader = await core.invoke("sleepy");
    const follower = await core.invoke("sleepy", { timeoutMs: 100 });
    expect(await follower.result).toMatchObject({ status: "failed", error: { code: "EXECUTION_TIMEOUT" } });
    const gone = await core.invoke("sleepy");
    await gone.cancel();
    expect(await gone.result).toMatchObject({ status: "cancelled" });
    expect(await leader.result).toMatchObject({ status: "completed" });
  });
});

describe("a repeated request", () => {
  test("marked as a retry joins the run in flight", async () => {
    await core.deploy("waits", "export async function execute(ctx) { await ctx.sleep(200); return Math.random() }");
    const first = await core.invoke("waits", { input: 1 });
    const retry = await core.invoke("waits", { input: 1, retry: true, mode: "stream", params: { stream: true } });
    const other = await core.invoke("waits", { input: 2, retry: true });
    expect(retry.executionId).toBe(first.executionId);
    expect(other.executionId).not.toBe(first.executionId);
    await first.cancel();
    expect(await retry.result).toMatchObject({ status: "completed" });
    await other.result;
  });

  test("marked as a retry runs itself beside one of another session, or one that is being stopped", async () => {
    const first = await core.invoke("waits", { input: 3, sessionId: "a" });
    const same = await core.invoke("waits", { input: 3, sessionId: "a", retry: true });
    const other = await core.invoke("waits", { input: 3, sessionId: "b", retry: true });
    expect(same.executionId).toBe(first.executionId);
    expect(other).toMatchObject({ sessionId: "b" });
    const stopped = core.engine.cancel({ accountId: core.accountId, executionId: other.executionId });
    const again = await core.invoke("waits", { input: 3, sessionId: "b", retry: true });
    expect(again.executionId).not.toBe(other.executionId);
    await stopped;
    expect(await again.result).toMatchObject({ status: "completed" });
    await first.result;
  });

  test("with the same idempotency key gets the same execution, also when it is over", async () => {
    const key = { idempotencyKey: "k1", input: 1 };
    const [first, second] = await Promise.all([core.invoke("waits", key), core.invoke("waits", key)]);
    expect(second.executionId).toBe(first.executionId);
    const result = await first.result;
    expect(await second.result).toEqual(result);
    const third = await core.invoke("waits", key);
    expect(third.executionId).toBe(first.executionId);
    expect(await third.result).toMatchObject({ output: result.status === "completed" && result.output });
    await expect(core.invoke("waits", { ...key, input: 2 })).rejects.toMatchObject({ code: "CONFLICT" });
  });
});
