import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ForkRequest } from "../../src/engine/fork-request.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { replayRecording } from "../../src/recording/replay-recording.ts";
import { startWebStub, type WebStub } from "../egress/upstream.ts";
import { outputOf, scriptOf, send, untilStatus } from "../engine/waiting.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { filesWith } from "../support/disk.ts";
import { rejectionOf } from "../support/thrown.ts";

const STORED = 'stored "value"/with+odd characters';
const HANDLE = "handle-value-77aa19f4c2";
const GIVEN = "given-value-4f81c0de99";
const LIMITED = "limited-value-0b1c2d3e4f";
const VALUES = [STORED, HANDLE, GIVEN, LIMITED];

let dir: DataDir;
let core: TestCore;
/** Repeats all that it is sent. */
let echo: WebStub;

type Rule = { readonly hosts?: readonly string[]; readonly refs?: readonly string[]; readonly accountId?: string };

const put = (name: string, value: string, { accountId = core.accountId, hosts, refs }: Rule = {}) =>
  core.services.secrets.put({ accountId, name, value, hosts: hosts ?? null, refs: refs ?? null });

async function restart(): Promise<void> {
  await core.close();
  core = await startTestCore({ WEFT_DATA_DIR: dir.path });
}

beforeAll(async () => {
  dir = await makeDataDir();
  core = await startTestCore({ WEFT_DATA_DIR: dir.path });
  echo = await startWebStub((request, response) => {
    const { authorization = "" } = request.headers;
    const text = JSON.stringify({ url: request.url, authorization, body: echo.requests.at(-1)?.body });
    response.writeHead(200, { "content-type": "application/json", "x-echo": authorization }).end(text);
  });
  await core.deploy("limited", scriptOf("return Object.keys(ctx.secrets);"));
  await core.deploy("names", scriptOf("return Object.keys(ctx.secrets);"));
  await put("STORED", STORED);
  await put("HANDLE", HANDLE, { hosts: [`127.0.0.1:${echo.port}`] });
  await put("LIMITED", LIMITED, { refs: ["limited"] });
});
afterAll(async () => {
  expect(core.reported).toEqual([]);
  await core.close();
  await echo.close();
  await dir.remove();
});

/** Everything that the API says of an execution. */
async function shownOf(executionId: string): Promise<string> {
  const { accountId, engine, replays } = core;
  const page = { accountId, executionId, from: 0, limit: 100 };
  const lines: unknown[] = [];
  for await (const line of replays.recording({ accountId, executionId, accessories: false })) lines.push(line);
  const trace = await engine.readTrace({ accountId, executionId, offset: 0, limit: 100 } as never);
  const run = await engine.describeRun({ accountId, executionId });
  const shown = [lines, trace, run, await engine.readLogs(page), await engine.readChunks(page)];
  return JSON.stringify(shown, (_name, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

async function recordingOf(executionId: string) {
  const lines: string[] = [];
  for await (const line of core.replays.recording({ accountId: core.accountId, executionId, accessories: false }))
    lines.push(JSON.stringify(line));
  return readRecording(lines);
}

const USES = scriptOf(`
  const { STORED, HANDLE, GIVEN } = ctx.secrets;
  console.log("all", { STORED, HANDLE, GIVEN });
  ctx.emit("said", { STORED, GIVEN });
  const reply = await ctx.http.post(ctx.input.url + "/?k=" + HANDLE, {
    json: { STORED, GIVEN, HANDLE }, headers: { authorization: "Bearer " + HANDLE },
  });
  if (ctx.input.fails) throw new Error("failed with " + STORED + GIVEN + JSON.stringify(reply));
  return { STORED, GIVEN, HANDLE, reply };`);

test("scripts get stored secrets, what a call gives comes first, and only listed workflows get some", async () => {
  expect(await outputOf(await core.invoke("names"))).toEqual(["HANDLE", "STORED"]);
  expect(await outputOf(await core.invoke("limited"))).toEqual(["HANDLE", "LIMITED", "STORED"]);
  await core.deploy("tells", scriptOf("return ctx.secrets.STORED;"));
  expect(await outputOf(await core.invoke("tells", { secrets: { STORED: GIVEN } }))).toBe(GIVEN);
  expect(await outputOf(await core.invoke("tells"))).toBe("[secret STORED]");
});

test("another account sees and uses none of them", async () => {
  const accountId = "account-of-a-stranger";
  await core.deploy("names", scriptOf("return Object.keys(ctx.secrets);"), { accountId });
  expect(await outputOf(await core.invoke("names", { accountId }))).toEqual([]);
  const { secrets } = core.services;
  expect(secrets.list(accountId)).toEqual([]);
  expect(() => secrets.find({ accountId, name: "STORED" })).toThrow("no secret named");
  expect(await rejectionOf(secrets.remove({ accountId, name: "STORED" }))).toMatchObject({ status: 404 });
});

test("neither the disk nor anything that is shown has a value, and the guest never sees one of a handle", async () => {
  await core.deploy("uses", USES);
  const input = { url: echo.url };
  const done = await core.invoke("uses", { input, secrets: { GIVEN } });
  const output = (await outputOf(done)) as { HANDLE: string; reply: { data: unknown } };
  expect(output).toMatchObject({ STORED: "[secret STORED]", GIVEN, HANDLE: expect.stringMatching(/^weft_secret_/) });
  // The service got the values; what it repeated came back with the handle's text.
  const { request, body } = echo.requests.at(-1) ?? {};
  expect(request).toMatchObject({ url: `/?k=${HANDLE}`, headers: { authorization: `Bearer ${HANDLE}` } });
  expect(JSON.parse(body ?? "")).toEqual({ STORED, GIVEN, HANDLE });
  expect(JSON.stringify(output.reply)).toContain(`Bearer ${output.HANDLE}`);
  const failed = await core.invoke("uses", { input: { ...input, fails: true }, secrets: { GIVEN } });
  const result = await failed.result;
  expect(result).toMatchObject({ status: "failed", error: { code: "EXECUTION_FAILED" } });
  expect(JSON.stringify(output)).not.toContain(HANDLE);
  expect(JSON.stringify(result)).toContain("[secret STORED]");
  const background = await core.invoke("uses", { input, mode: "background" });
  await background.result;
  const ids = [done, failed, background].map(({ executionId }) => executionId);
  const shown = [JSON.stringify(result), ...(await Promise.all(ids.map(shownOf)))].join("\n");
  const look = async () => {
    for (const value of VALUES) {
      expect(shown).not.toContain(value);
      expect(shown).not.toContain(JSON.stringify(value).slice(1, -1));
      expect(await filesWith(dir.path, value), value).toEqual([]);
    }
  };
  await look();
  await restart();
  await look();
});

test("a handle is refused at any host that is not listed, by name", async () => {
  const other = await startWebStub((_request, response) => response.end("got it"));
  await core.deploy("uses", USES);
  const result = await core.run("uses", { input: { url: other.url } });
  expect(result).toMatchObject({ status: "failed", error: { code: "CAPABILITY_DENIED" } });
  expect(JSON.stringify(result)).toContain(`127.0.0.1:${other.port}`);
  expect(other.requests).toEqual([]);
  await other.close();
});

describe("results are cached", () => {
  test("by value: a change gives another one, also after a restart", async () => {
    await core.deploy("measures", scriptOf("return [ctx.secrets.STORED.length, Object.keys(ctx.secrets).length];"));
    const cacheOf = async () => {
      const invocation = await core.invoke("measures");
      await invocation.result;
      return invocation.cache;
    };
    expect([await cacheOf(), await cacheOf()]).toEqual(["miss", "hit"]);
    await put("STORED", `${STORED}!`);
    expect([await cacheOf(), await cacheOf()]).toEqual(["miss", "hit"]);
    await put("STORED", STORED);
    expect(await cacheOf()).toBe("hit");
    await restart();
    expect(await cacheOf()).toBe("hit");
  });
});

describe("an execution that goes on after a restart", () => {
  const WAITS = scriptOf(`
    const before = await ctx.http.post(ctx.input.url, { json: ctx.secrets });
    await ctx.waitFor("go");
    const after = await ctx.http.post(ctx.input.url, { json: ctx.secrets });
    return { same: before.body === after.body, names: Object.keys(ctx.secrets) };`);

  async function park(ref: string): Promise<string> {
    await core.deploy(ref, WAITS);
    const { executionId } = await core.invoke(ref, { input: { url: echo.url }, mode: "background" });
    await untilStatus(core, executionId, "waiting", 1);
    return executionId;
  }
  const resultOf = async (executionId: string) => {
    await untilStatus(core, executionId, "completed");
    const { state } = await core.engine.findExecution({ accountId: core.accountId, executionId });
    return JSON.parse((state.status === "completed" ? state.output : null) ?? "null");
  };

  test("has its stored secrets again, whatever was added meanwhile", async () => {
    const executionId = await park("waits");
    await put("ADDED", "added-value-123456");
    await restart();
    await send(core, "go", null);
    expect(await resultOf(executionId)).toEqual({ same: true, names: ["HANDLE", "STORED"] });
    expect(JSON.parse(echo.requests.at(-1)?.body ?? "")).toEqual({ STORED, HANDLE });
    await core.services.secrets.remove({ accountId: core.accountId, name: "ADDED" });
  });

  test("fails by name when one was deleted", async () => {
    await put("BRIEF", "brief-value-123456");
    const executionId = await park("waits");
    await core.services.secrets.remove({ accountId: core.accountId, name: "BRIEF" });
    await restart();
    await send(core, "go", null);
    await untilStatus(core, executionId, "failed");
    const { state } = await core.engine.findExecution({ accountId: core.accountId, executionId });
    expect(state).toMatchObject({ error: { code: "SECRETS_LOST", message: expect.stringContaining('"BRIEF"') } });
  });

  test("is forked without giving them again, and its recording replays without any", async () => {
    const { accountId } = core;
    await core.deploy("uses", USES);
    const { executionId, result } = await core.invoke("uses", { input: { url: echo.url }, cache: "no-store" });
    await result;
    const report = await replayRecording(core.runtime, await recordingOf(executionId));
    expect(report.verdict).toEqual({ verdict: "identical" });
    const asked: ForkRequest = {
      at: 0,
      version: null,
      set: {},
      secrets: {},
      idempotencyKey: null,
      accountId,
      executionId,
    };
    const calls = echo.requests.length;
    const whole = await core.engine.fork({ ...asked, at: null });
    expect(await resultOf(whole)).toMatchObject({ STORED: "[secret STORED]" });
    expect(echo.requests.length).toBe(calls);
    await resultOf(await core.engine.fork(asked));
    expect(JSON.parse(echo.requests.at(-1)?.body ?? "")).toEqual({ STORED, HANDLE });
  });
});

test("a workflow that is called hides its caller's secrets and sends its caller's handles", async () => {
  await core.deploy(
    "inner",
    scriptOf(`
      console.log("inner", ctx.input.limited);
      const { data } = await ctx.http.post(ctx.input.url, { json: { sent: ctx.input.handle } });
      return { told: ctx.input.limited, data };`),
  );
  await core.deploy(
    "limited",
    scriptOf(`
      const { LIMITED: limited, HANDLE: handle } = ctx.secrets;
      const input = { url: ctx.input.url, limited, handle };
      const reply = await ctx.workflow.completions.create({ model: "workflow:inner", input });
      return { ...reply.output, same: reply.output.told === limited };`),
  );
  const { executionId, result } = await core.invoke("limited", { input: { url: echo.url } });
  expect(await result).toMatchObject({ status: "completed" });
  expect(JSON.parse(echo.requests.at(-1)?.body ?? "")).toEqual({ sent: HANDLE });
  const { accountId } = core;
  const filter = {};
  const { items } = await core.engine.listExecutions({
    accountId,
    ref: "inner",
    filter,
    limit: 1,
    offset: 0,
    cursor: null,
  });
  const shown = [JSON.stringify(await result), await shownOf(executionId), await shownOf(items[0]?.id ?? "")].join(
    "\n",
  );
  for (const value of VALUES) expect(shown).not.toContain(value);
  expect(shown).toContain("[secret LIMITED]");
});

test("calls that are merged into one send the handle once it begins, also after a restart", async () => {
  await core.deploy(
    "merged",
    `export const config = { debounce: { delay: "2s" } };
    export const execute = (ctx) => ctx.http.post(ctx.input.url, { body: ctx.secrets.HANDLE }).then(() => ctx.input.n);`,
  );
  const call = (n: number) => core.invoke("merged", { input: { url: echo.url, n }, mode: "background" });
  const { executionId } = await call(1);
  const { result } = await call(2);
  expect(await result).toMatchObject({ status: "completed", output: "2" });
  expect(echo.requests.at(-1)?.body).toBe(HANDLE);
  const again = await call(3);
  expect(again.executionId).not.toBe(executionId);
  expect((await call(4)).executionId).toBe(again.executionId);
  await restart();
  await untilStatus(core, again.executionId, "completed");
  expect(echo.requests.at(-1)?.body).toBe(HANDLE);
});

describe("a secret is refused", () => {
  test.each([
    ["a value too short to be hidden", { value: "abc42" }, "value"],
    ["a handle without hosts", { hosts: [] }, "hosts"],
    ["a host that is none", { hosts: ["https://example.com/"] }, "hosts"],
    ["a handle with a line break", { value: "long\r\nenough", hosts: ["example.com"] }, "value"],
  ])("for %s", async (_why, { value = "long enough", ...more }: Rule & { readonly value?: string }, param) => {
    const refused = await rejectionOf(put("A", value, more));
    expect(refused).toMatchObject({ code: "INVALID_REQUEST", details: { param } });
    expect(refused.message).not.toContain(value);
  });
});

test("a handle stays one when only its value is given anew, and its hosts are sealed", async () => {
  const { accountId, store } = core;
  const { secrets } = core.services;
  await secrets.put({ accountId, name: "HANDLE", value: HANDLE });
  expect(secrets.find({ accountId, name: "HANDLE" })).toMatchObject({ hosts: [`127.0.0.1:${echo.port}`] });
  const row = (await store.listSecrets()).find(({ name }) => name === "HANDLE");
  if (row === undefined) throw new Error("no such row");
  await store.putSecret({ secret: { ...row, name: "MOVED" } });
  await store.putSecret({ secret: { ...row, name: "WIDE", hosts: ["evil.example"] } });
  await store.putSecret({ secret: { ...row, hosts: ["evil.example"] } });
  await restart();
  expect(core.services.secrets.find({ accountId, name: "HANDLE" })).toMatchObject({
    hosts: [`127.0.0.1:${echo.port}`],
  });
  // What does not open at its place is reported and cannot be used.
  expect(core.reported.map(String)).toEqual([
    expect.stringContaining("secret MOVED: "),
    expect.stringContaining("secret WIDE: "),
  ]);
  expect(await rejectionOf(core.run("names"))).toMatchObject({ code: "CONFLICT" });
  for (const name of ["MOVED", "WIDE"]) await core.services.secrets.remove({ accountId, name });
  (core.reported as unknown[]).splice(0);
});
