import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ForkRequest } from "../../src/engine/fork-request.ts";
import type { Execution } from "../../src/engine/types.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { makeDataDir } from "../support/data-dir.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { rejectionOf } from "../support/thrown.ts";
import { until } from "../support/until.ts";

let stub: ModelStub;
let core: TestCore;
beforeAll(async () => {
  stub = await startModelStub();
  core = await startTestCore({ OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk-stub" });
});
afterAll(async () => {
  await core.close();
  await stub.close();
});

const CHAIN = (last: string) => `export async function execute(ctx) {
  const ask = async (text) =>
    (await ctx.chat.completions.create({ messages: [{ role: "user", content: text }] })).choices[0].message.content;
  const born = Date.now();
  const first = await ask("first " + Math.random() + " " + born);
  const second = await ask("second " + first.length);
  return { born, first, second, last: ${last}, customer: ctx.input?.customer ?? null };
}`;

async function origin(ref: string, script = CHAIN('await ask("third")'), secrets = {}): Promise<string> {
  await core.deploy(ref, script);
  const { executionId, result } = await core.invoke(ref, { input: { customer: 1 }, secrets, cache: "no-store" });
  await result;
  return executionId;
}

async function ended(executionId: string): Promise<Execution> {
  const look = () => core.engine.findExecution({ accountId: core.accountId, executionId });
  return until(look, ({ state }) => "finishedAt" in state);
}

const outputOf = ({ state }: Execution) => JSON.parse(state.status === "completed" ? (state.output ?? "") : "null");
const PLAIN = { at: null, version: null, set: {}, secrets: {}, idempotencyKey: null };
const fork = async (executionId: string, more: Partial<ForkRequest> = {}) => {
  const { accountId } = core;
  return ended(await core.engine.fork({ ...PLAIN, accountId, executionId, ...more }));
};

test("takes the calls below a position over and pays only for what follows", async () => {
  const executionId = await origin("chain");
  const before = await ended(executionId);
  const calls = stub.calls.length;
  const forked = await fork(executionId, { at: 2 });
  expect(outputOf(forked)).toEqual(outputOf(before));
  expect(stub.calls.length).toBe(calls + 1);
  expect(forked.usage.promptTokens).toBeLessThan(before.usage.promptTokens);
  expect(await core.store.findFork({ executionId: forked.id })).toMatchObject({ originId: executionId, at: 2 });
});

test("goes on with another version", async () => {
  const executionId = await origin("better");
  await core.deploy("better", CHAIN('await ask("a better third")'), { publish: false });
  const calls = stub.calls.length;
  const forked = await fork(executionId, { at: 2, version: "1.1.0" });
  expect(outputOf(forked).last).toContain("a better third");
  expect(stub.calls.length).toBe(calls + 1);
});

test("changes values; a changed call that was taken over diverges, naming the position", async () => {
  const executionId = await origin("values");
  expect(outputOf(await fork(executionId, { set: { "input.customer": 42 } })).customer).toBe(42);
  await core.deploy("values", CHAIN("0").replace('"second "', '"another "'), { publish: false });
  expect((await fork(executionId, { version: "draft" })).state).toMatchObject({
    status: "failed",
    error: { code: "REPLAY_DIVERGED", details: { position: 1 } },
  });
  // Below the changed call it is simply made.
  expect(outputOf(await fork(executionId, { version: "draft", at: 1 })).second).toContain("another");
});

test("a fork of a fork keeps the first one's clock", async () => {
  const executionId = await origin("again");
  const once = await fork(executionId, { at: 1 });
  const twice = await fork(once.id, { at: 1 });
  expect(outputOf(twice).born).toBe(outputOf(await ended(executionId)).born);
});

test("secrets must be given again", async () => {
  const script = CHAIN("ctx.secrets.TOKEN.length");
  const executionId = await origin("secret", script, { TOKEN: "very-secret-value" });
  const error = await rejectionOf(fork(executionId));
  expect(error).toMatchObject({ code: "INVALID_REQUEST", message: expect.stringContaining("TOKEN") });
  const forked = await fork(executionId, { secrets: { TOKEN: "another-secret" } });
  expect(outputOf(forked).last).toBe("another-secret".length);
});

test("secrets may be given in any order, and more of them", async () => {
  const script = CHAIN('await ask(ctx.secrets.FIRST + " " + Object.keys(ctx.secrets).length)');
  const secrets = { FIRST: "first-secret-value", OTHER: "other-secret-value" };
  const executionId = await origin("order", script, secrets);
  const calls = stub.calls.length;
  const forked = await fork(executionId, { secrets: { OTHER: secrets.OTHER, FIRST: secrets.FIRST } });
  expect(forked.state.status).toBe("completed");
  expect(stub.calls.length).toBe(calls);
  const more = await fork(executionId, { at: 2, secrets: { NEW: "new-secret-value", ...secrets } });
  expect(JSON.parse(more.data).secret_names).toEqual(["FIRST", "OTHER", "NEW"]);
});

test("a question that nobody has decided is asked anew", async () => {
  await core.deploy("asks", `export const execute = async (ctx) => (await ctx.approve({ title: "Now?" })).by;`);
  const { accountId, engine, waiting } = core;
  const { executionId } = await core.invoke("asks", { input: {}, mode: "background" });
  const open = async () => (await waiting.approvals({ accountId, limit: 10, offset: 0 })).items;
  const questions = (count: number) => until(open, ({ length }) => length === count);
  await questions(1);
  const forked = await engine.fork({ ...PLAIN, accountId, executionId });
  const question = (await questions(2)).find((one) => one.executionId === forked);
  if (question === undefined) throw new Error("the fork asked nothing");
  const verdict = { approved: true, data: null, comment: null, by: "Ada", via: "api", address: "::1" } as const;
  await waiting.decide(question, verdict);
  expect(outputOf(await ended(forked))).toBe("Ada");
  // A decision that was taken over is not asked for again.
  expect(outputOf(await fork(forked))).toBe("Ada");
  await engine.cancel({ accountId, executionId });
});

test("passes the gates of its workflow, and changed input is checked", async () => {
  await core.deploy(
    "limited",
    `export const config = { concurrency: { limit: 1 }, validateInput: true };
    export const inputSchema = { type: "object", properties: { n: { type: "integer" } } };
    export const execute = (ctx) => new Promise((done) => setTimeout(done, ctx.input.ms, 1));`,
  );
  const { accountId, engine } = core;
  const { executionId, result } = await core.invoke("limited", { input: { n: 1, ms: 1 }, cache: "no-store" });
  await result;
  const error = await rejectionOf(fork(executionId, { set: { "input.n": "one" } }));
  expect(error.code).toBe("VALIDATION_ERROR");
  const slow = { ...PLAIN, accountId, executionId, at: 0, set: { "input.ms": 60_000 } };
  const [first, second] = [await engine.fork(slow), await engine.fork(slow)];
  const statusOf = async (id: string) => (await engine.findExecution({ accountId, executionId: id })).state.status;
  await until(
    () => statusOf(first),
    (status) => status === "running",
  );
  expect(await statusOf(second)).toBe("queued");
  for (const id of [first, second]) await engine.cancel({ accountId, executionId: id });
});

test("wrong positions, paths, versions and accounts are refused", async () => {
  const executionId = await origin("strict");
  const codeOf = async (more: Partial<ForkRequest>) => (await rejectionOf(fork(executionId, more))).message;
  expect(await codeOf({ at: 4 })).toBe("at: must be a whole number from 0 to 3 (the recorded ctx calls), got 4");
  expect(await codeOf({ set: { "secrets.X": 1 } })).toContain('set: "secrets.X" must begin with one of');
  expect(await codeOf({ set: { "input.customer.name": 1 } })).toContain("leads into a value");
  expect((await rejectionOf(fork(executionId, { version: "9.9.9" }))).code).toBe("VERSION_NOT_FOUND");
  expect((await rejectionOf(fork(executionId, { accountId: "stranger" }))).code).toBe("EXECUTION_NOT_FOUND");
});

test("a fork that was queued when the server ended goes on with the clock of its origin", async () => {
  const directory = await makeDataDir();
  const environment = {
    OPENAI_BASE_URL: stub.url,
    OPENAI_API_KEY: "sk-stub",
    WEFT_DATA_DIR: directory.path,
    WEFT_MAX_CONCURRENT: "1",
  };
  const first = await startTestCore(environment);
  const { accountId } = first;
  await first.deploy("waits", CHAIN("0"));
  const { executionId, result } = await first.invoke("waits", { input: {}, cache: "no-store" });
  const born = await result.then((end) => (end.status === "completed" ? JSON.parse(end.output).born : null));
  await first.deploy("blocks", "export const execute = (ctx) => new Promise((done) => setTimeout(done, 3000, 1));");
  await first.invoke("blocks", { input: {}, mode: "background" });
  const forked = await first.engine.fork({ ...PLAIN, accountId, executionId, at: 1 });
  await first.engine.stop(0);
  await first.close();
  const second = await startTestCore(environment);
  try {
    const look = () => second.engine.findExecution({ accountId, executionId: forked });
    const execution = await until(look, ({ state }) => "finishedAt" in state);
    expect(outputOf(execution).born).toBe(born);
  } finally {
    await second.close();
    await directory.remove();
  }
});

describe("an idempotency key", () => {
  const key = { idempotencyKey: "fork-key" };

  test("stands for one fork, however often and at the same time it is sent", async () => {
    const executionId = await origin("keyed");
    const request = { ...PLAIN, ...key, accountId: core.accountId, executionId, at: 1 };
    const ids = await Promise.all([1, 2, 3].map(() => core.engine.fork(request)));
    expect(new Set(ids).size).toBe(1);
    await ended(ids[0] ?? "");
    expect(await core.engine.fork(request)).toBe(ids[0]);
    const other = await rejectionOf(core.engine.fork({ ...request, at: 2 }));
    expect(other).toMatchObject({ code: "CONFLICT", details: { execution_id: ids[0] } });
    for (const changed of [
      { set: { "input.customer": 2 } },
      { version: "1.0.0" },
      { executionId: await origin("keyed") },
    ])
      expect((await rejectionOf(core.engine.fork({ ...request, ...changed }))).code).toBe("CONFLICT");
    expect(await core.engine.fork({ ...request, idempotencyKey: "another" })).not.toBe(ids[0]);
  });

  test("of a call is no fork's, and that of a fork no call's, even if both say the same", async () => {
    const executionId = await origin("keyed");
    const called = await core.invoke("keyed", { input: { customer: 1 }, idempotencyKey: "call-key" });
    await called.result;
    const request = { ...PLAIN, accountId: core.accountId, executionId };
    const taken = await rejectionOf(core.engine.fork({ ...request, idempotencyKey: "call-key" }));
    expect(taken.code).toBe("CONFLICT");
    await ended(await core.engine.fork({ ...request, idempotencyKey: "forks-own" }));
    const call = core.invoke("keyed", { input: { customer: 1 }, idempotencyKey: "forks-own" });
    expect((await rejectionOf(call)).code).toBe("CONFLICT");
  });

  test("of another account is another one", async () => {
    const executionId = await origin("keyed");
    const request = { ...PLAIN, accountId: core.accountId, executionId, idempotencyKey: "shared" };
    await core.engine.fork(request);
    expect(await core.engine.findKeyed({ accountId: "stranger", idempotencyKey: "shared" })).toBeNull();
    expect((await rejectionOf(core.engine.fork({ ...request, accountId: "stranger" }))).code).toBe(
      "EXECUTION_NOT_FOUND",
    );
  });
});
