import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Chunk } from "../../runtime/index.ts";
import { startTestCore, type TestCore } from "../support/core.ts";

let core: TestCore;
let upstream: Server;
let url: string;
/** Answers that the upstream holds back. */
let held: (() => void)[] = [];

beforeAll(async () => {
  upstream = createServer((_request, response) => {
    held.push(() => response.end("ok"));
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/`;
  core = await startTestCore();
});

afterAll(async () => {
  await core.close();
  upstream.closeAllConnections();
  upstream.close();
  expect(core.reported).toEqual([]);
});

/** Work without a ctx call. */
const busy = "let n = 0; for (let i = 0; i < 2e6; i++) n = (n * 31 + i) % 1000003;";

const burst = (ref: string, count: number, more: Parameters<TestCore["invoke"]>[1] = {}) =>
  Promise.all(Array.from({ length: count }, () => core.invoke(ref, more)));

const statusOf = async (executionId: string) => {
  const { accountId, engine } = core;
  return (await engine.findExecution({ accountId, executionId }).catch(() => null))?.state.status;
};

describe("identical first calls of a version", () => {
  test("share one run that turns out pure, streams with their chunks", async () => {
    await core.deploy(
      "first",
      `export async function execute(ctx) { ctx.emit("p", ctx.input); ${busy} return { n, id: ctx.input } }`,
    );
    const seen: Chunk[] = [];
    const [leader, ...followers] = await burst("first", 10, { input: 1 });
    const streaming = await core.invoke("first", { input: 1, mode: "stream", params: { stream: true } });
    streaming.subscribe((chunks) => seen.push(...chunks));
    const results = await Promise.all([leader, ...followers, streaming].map((one) => one?.result));
    expect(results.map((result) => result?.status)).toEqual(Array(11).fill("completed"));
    expect(leader?.cache).toBe("miss");
    expect([...followers, streaming].map(({ cache }) => cache)).toEqual(Array(10).fill("hit"));
    expect(seen).toMatchObject([{ index: 0, content: "1" }]);
  });

  test("run themselves as soon as the run they wait for begins something outside", async () => {
    await core.deploy(
      "outside",
      "export async function execute(ctx) { return (await ctx.http.get(ctx.input)).text() }",
    );
    held = [];
    const all = await burst("outside", 5, { input: url });
    // None of them has had an answer yet.
    await expect.poll(() => held.length).toBe(5);
    for (const answer of held) answer();
    for (const one of all) expect(await one.result).toMatchObject({ status: "completed", content: "ok" });
    expect(all.map(({ cache }) => cache)).toEqual(Array(5).fill("miss"));
  });

  test("run themselves as soon as the run they wait for begins to wait", async () => {
    await core.deploy("waits", "export async function execute(ctx) { await ctx.sleep(60_000); return 1 }");
    const all = await burst("waits", 3, { timeoutMs: 3_600_000 });
    for (const { executionId } of all) await expect.poll(() => statusOf(executionId)).toBe("waiting");
    for (const one of all) await one.cancel();
  });

  test("run themselves when the run they wait for read the clock", async () => {
    await core.deploy("clock", `export async function execute() { ${busy} return [n, Date.now()] }`);
    const all = await burst("clock", 4);
    for (const one of all) expect(await one.result).toMatchObject({ status: "completed" });
    expect(all.map(({ cache }) => cache)).toEqual(Array(4).fill("miss"));
  });

  test("run themselves when the run they wait for fails", async () => {
    await core.deploy("fails", `export async function execute() { ${busy} throw new Error("no") }`);
    const all = await burst("fails", 4);
    for (const one of all) expect(await one.result).toMatchObject({ status: "failed" });
  });
});

test("a follower that gives up or is out of time leaves the others alone", async () => {
  await core.deploy(
    "long",
    `export async function execute() {
      for (let n = 0; n < 1000; n++) await crypto.subtle.digest("SHA-256", new Uint8Array(8));
      return 1;
    }`,
  );
  const [leader, first, second] = await burst("long", 3, { input: {} });
  const late = await core.invoke("long", { input: {}, timeoutMs: 1 });
  expect(await late.result).toMatchObject({ status: "failed", error: { code: "EXECUTION_TIMEOUT" } });
  await first?.cancel();
  expect(await first?.result).toMatchObject({ status: "cancelled" });
  expect(await leader?.result).toMatchObject({ status: "completed" });
  expect(await second?.result).toMatchObject({ status: "completed" });
  expect(second?.cache).toBe("hit");
});
