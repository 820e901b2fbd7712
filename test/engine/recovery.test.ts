import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { type SpawnedCore, spawnCore } from "../support/spawned-core.ts";

let dir: DataDir;
let core: TestCore | null = null;
let spawned: SpawnedCore | null = null;
let upstream: Server;
let url: string;
/** Paths asked for, in order; a path that ends in /wait is never answered by the first server life. */
let asked: string[];
let answerWaiting: boolean;
/** What has not been answered. */
let open: ServerResponse[];

beforeEach(async () => {
  asked = [];
  answerWaiting = false;
  open = [];
  dir = await makeDataDir();
  upstream = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (answerWaiting || !request.url?.endsWith("wait")) response.end(`answer to ${request.url}`);
    else open.push(response);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await spawned?.kill();
  await core?.close();
  spawned = null;
  core = null;
  upstream.closeAllConnections();
  upstream.close();
  await dir.remove();
});

const restart = async (): Promise<TestCore> => {
  await spawned?.kill();
  spawned = null;
  answerWaiting = true;
  core = await startTestCore({ WEFT_DATA_DIR: dir.path });
  return core;
};

const ended = async (executionId: string) => {
  const find = () => core?.engine.findExecution({ accountId: core.accountId, executionId });
  await expect.poll(async () => (await find())?.state.status).toMatch(/completed|failed|cancelled/);
  return find();
};

const steps = (paths: readonly string[]) => `export async function execute(ctx) {
  const seen = [];
  for (const path of ${JSON.stringify(paths)}) {
    ctx.emit("step", path);
    seen.push((await ctx.http.get("${url}" + path)).text());
  }
  return { seen, random: Math.random() };
}`;

describe("after a kill -9 of the server", () => {
  test.each(["sync", "stream", "background"] as const)("a %s execution goes on where it was", async (mode) => {
    spawned = await spawnCore(dir.path);
    await spawned.deploy("steps", steps(["/1", "/2", "/3wait", "/4"]));
    const executionId = await spawned.invoke("steps", { mode });
    await expect.poll(() => asked.length).toBe(3);
    const { engine, accountId } = await restart();
    const execution = await ended(executionId);
    expect(execution?.state).toMatchObject({ status: "completed" });
    expect(asked).toEqual(["/1", "/2", "/3wait", "/3wait", "/4"]);
    const chunks = await engine.readChunks({ accountId, executionId, from: 0, limit: 100 });
    expect(chunks.map((chunk) => chunk.content)).toEqual(['"/1"', '"/2"', '"/3wait"', '"/4"']);
  });

  test("an execution with secrets fails and says why", async () => {
    spawned = await spawnCore(dir.path);
    await spawned.deploy("steps", steps(["/1", "/2wait"]));
    const executionId = await spawned.invoke("steps", { secrets: { key: "abcdefgh" } });
    await expect.poll(() => asked.length).toBe(2);
    await restart();
    expect((await ended(executionId))?.state).toMatchObject({ status: "failed", error: { code: "SECRETS_LOST" } });
  });

  test("a parent finds the child it had started", async () => {
    spawned = await spawnCore(dir.path);
    await spawned.deploy("child", steps(["/child", "/child/wait"]));
    await spawned.deploy(
      "parent",
      'export async function execute(ctx) { return (await ctx.workflow.completions.create({ model: "workflow:child" })).output.seen }',
    );
    const executionId = await spawned.invoke("parent", { mode: "background" });
    await expect.poll(() => asked.length).toBe(2);
    const { engine, accountId } = await restart();
    expect((await ended(executionId))?.state).toMatchObject({ status: "completed" });
    expect(asked).toEqual(["/child", "/child/wait", "/child/wait"]);
    const children = await engine.listExecutions({
      accountId,
      ref: "child",
      filter: {},
      limit: 10,
      offset: 0,
      cursor: null,
    });
    expect(children.total).toBe(1);
  });

  test("an execution whose timeout has passed meanwhile fails with it", async () => {
    spawned = await spawnCore(dir.path);
    await spawned.deploy("steps", steps(["/1wait"]));
    const executionId = await spawned.invoke("steps", { timeoutMs: 3_000 });
    await expect.poll(() => asked.length).toBe(1);
    await spawned.kill();
    spawned = null;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await restart();
    expect((await ended(executionId))?.state).toMatchObject({ error: { code: "EXECUTION_TIMEOUT" } });
  });

  test("what was queued is run, and what was parked wakes up in time", async () => {
    spawned = await spawnCore(dir.path);
    await spawned.deploy(
      "nap",
      "export async function execute(ctx) { const from = Date.now(); await ctx.sleep(9000); return Date.now() - from >= 9000 }",
    );
    const executionId = await spawned.invoke("nap", { mode: "background" });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await restart();
    const status = async () =>
      (await core?.engine.findExecution({ accountId: core.accountId, executionId }))?.state.status;
    await expect.poll(status).toBe("waiting");
    expect((await ended(executionId))?.state).toMatchObject({ status: "completed", output: "true" });
  });
});

describe("when the server stops", () => {
  test("callers are told, and their executions go on at the next start", async () => {
    core = await startTestCore({ WEFT_DATA_DIR: dir.path, WEFT_STOP_GRACE_MS: "50" });
    await core.deploy("steps", steps(["/1", "/2wait"]));
    const invocation = await core.invoke("steps");
    await expect.poll(() => asked.length).toBe(2);
    await core.close();
    expect(await invocation.result).toMatchObject({ status: "failed", error: { code: "STOPPING" } });
    await expect(core.invoke("steps")).rejects.toMatchObject({ code: "STOPPING" });
    await restart();
    expect((await ended(invocation.executionId))?.state).toMatchObject({ status: "completed" });
    expect(asked).toEqual(["/1", "/2wait", "/2wait"]);
  });

  test("executions that end within the grace are answered", async () => {
    core = await startTestCore({ WEFT_DATA_DIR: dir.path, WEFT_STOP_GRACE_MS: "20000" });
    await core.deploy("short", "export async function execute(ctx) { await ctx.sleep(150); return 1 }");
    const invocation = await core.invoke("short");
    await core.close();
    core = null;
    expect(await invocation.result).toMatchObject({ status: "completed" });
  });
});

describe("when a host process dies", () => {
  const killHosts = () => {
    for (const { pid } of core?.runtime.stats().hosts ?? []) process.kill(pid, "SIGKILL");
  };

  test("its executions go on in another one and pay for nothing twice", async () => {
    core = await startTestCore({ WEFT_DATA_DIR: dir.path });
    await core.deploy("steps", steps(["/1", "/2", "/3wait", "/4"]));
    const invocation = await core.invoke("steps");
    const seen: string[] = [];
    invocation.subscribe((chunks) => seen.push(...chunks.map((chunk) => chunk.content)));
    await expect.poll(() => asked.length).toBe(3);
    killHosts();
    await expect.poll(() => core?.runtime.stats().hostsReplaced).toBeGreaterThan(0);
    for (const response of open) response.end("at last");
    expect(await invocation.result).toMatchObject({ status: "completed" });
    expect(asked).toEqual(["/1", "/2", "/3wait", "/4"]);
    expect(seen).toEqual(['"/1"', '"/2"', '"/3wait"', '"/4"']);
  });

  test("the one that killed it fails with its limit, the others succeed", async () => {
    core = await startTestCore({ WEFT_DATA_DIR: dir.path });
    await core.deploy("good", "export async function execute(ctx) { await ctx.sleep(1500); return ctx.input }");
    await core.deploy(
      "hang",
      "export async function execute(ctx) { await ctx.sleep(100); Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }",
    );
    const good = await Promise.all([1, 2, 3].map((input) => core?.invoke("good", { input })));
    expect(await core.run("hang")).toMatchObject({ status: "failed", error: { code: "CPU_LIMIT_EXCEEDED" } });
    const results = await Promise.all(good.map((invocation) => invocation?.result));
    expect(results.map((result) => result?.status)).toEqual(["completed", "completed", "completed"]);
  });
});
