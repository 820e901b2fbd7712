import { afterAll, beforeAll, expect, test } from "vitest";
import { fail } from "../../runtime/errors.ts";
import { type BareRuntime, type JobOptions, scriptOf, startBareRuntime } from "./bare-runtime.ts";
import type { JournalHostOptions } from "./journal-host.ts";

let runtime: BareRuntime;

beforeAll(async () => {
  runtime = await startBareRuntime();
});
afterAll(() => runtime.close());

async function run(body: string, options: JobOptions = {}, hostOptions: JournalHostOptions = {}) {
  return runtime.finish(await runtime.job(scriptOf(body), options), hostOptions);
}

const CATCH = `const caught = async (work) => { try { await work(); return "no error"; } catch (e) { return [e.name, e.code, e.message, e.details?.limit]; } };
  const ask = (text) => ctx.chat.completions.create({ messages: [{ role: "user", content: text }] });`;

test("arguments over maxArgBytes are refused before anything is sent, and the script can go on", async () => {
  const calls = runtime.stub.calls.length;
  const { host, ...outcome } = await run(`${CATCH} return await caught(() => ask("x".repeat(5000)));`, {
    limits: { maxArgBytes: 4_000 },
  });
  expect(outcome).toMatchObject({ status: "completed" });
  expect(outcome.status === "completed" && JSON.parse(outcome.output ?? "")).toEqual([
    "LimitError",
    "LIMIT_EXCEEDED",
    expect.stringContaining("4000"),
    "maxArgBytes",
  ]);
  expect(host.records).toEqual([]);
  expect(runtime.stub.calls.length).toBe(calls);
});

test("bytes count, not characters", async () => {
  const calls = runtime.stub.calls.length;
  const outcome = await run(`${CATCH} return await caught(() => ask("é".repeat(3000)));`, {
    limits: { maxArgBytes: 4_000 },
  });
  expect(outcome.status === "completed" && JSON.parse(outcome.output ?? "")[3]).toBe("maxArgBytes");
  expect(runtime.stub.calls.length).toBe(calls);
});

test("a result over maxResultBytes is an error in the script and in its replay", async () => {
  runtime.stub.script({ content: "y".repeat(9_000) });
  const job = await runtime.job(scriptOf(`${CATCH} return await caught(() => ask("big"));`), {
    limits: { maxResultBytes: 5_000 },
  });
  const { host, ...outcome } = await runtime.finish(job);
  expect(outcome.status === "completed" && JSON.parse(outcome.output ?? "").slice(0, 2)).toEqual([
    "LimitError",
    "LIMIT_EXCEEDED",
  ]);
  expect(host.records.map(({ kind }) => kind)).toEqual(["error"]);
  expect(await runtime.finish(runtime.resume(job, host.records))).toMatchObject({
    output: outcome.status === "completed" ? outcome.output : "",
  });
});

test("more ctx calls at once than maxConcurrentOps are refused in the script", async () => {
  runtime.stub.always({ delayMs: 30 });
  const calls = runtime.stub.calls.length;
  const outcome = await run(
    `${CATCH} const all = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => ask("n" + i)));
    return [all.filter((one) => one.status === "fulfilled").length, all.find((one) => one.status === "rejected").reason.details];`,
    { limits: { maxConcurrentOps: 20 } },
  );
  runtime.stub.always({});
  expect(outcome).toMatchObject({ status: "completed", output: '[20,{"limit":"maxConcurrentOps"}]' });
  expect(runtime.stub.calls.length).toBe(calls + 20);
});

test("an output over maxOutputBytes fails and names both numbers", async () => {
  expect(await run(`return "z".repeat(3000);`, { limits: { maxOutputBytes: 1_000 } })).toMatchObject({
    status: "failed",
    error: { code: "LIMIT_EXCEEDED", message: expect.stringMatching(/1000.*maxOutputBytes|maxOutputBytes.*1000/) },
  });
});

test("ops without an outside effect are not written until something is, or until a run that waited ends", async () => {
  const hash = `await crypto.subtle.digest("SHA-256", new TextEncoder().encode("x"));`;
  const quiet = await run(`for (let i = 0; i < 20; i++) ${hash} return 1;`);
  expect(quiet).toMatchObject({ status: "completed", usage: { ops: 0 }, keepsTail: false });
  expect(quiet.host.records).toEqual([]);
  const waited = await run(`for (let i = 0; i < 20; i++) await ctx.sleep(0); return 1;`);
  expect(waited).toMatchObject({ status: "completed", usage: { ops: 0 }, keepsTail: true });
  expect(waited.host.records.map(({ op }) => op)).toEqual(Array(20).fill("sleep"));
  const loud = await run(`for (let i = 0; i < 20; i++) await ctx.sleep(0); ${CATCH} await ask("x"); return 1;`);
  expect(loud.host.records.map(({ op }) => op)).toEqual([...Array(20).fill("sleep"), "chat.completions.create"]);
  expect(loud).toMatchObject({ usage: { ops: 1, promptTokens: 10, completionTokens: 5 } });
});

test("usage counts what was recorded and what is new", async () => {
  const job = await runtime.job(scriptOf(`${CATCH} await ask("1"); await ask("2"); await ask("3"); return 1;`));
  const { host } = await runtime.finish(job);
  const resumed = await runtime.finish(runtime.resume(job, host.records.slice(0, 2)));
  expect(resumed).toMatchObject({ usage: { ops: 3, promptTokens: 30, completionTokens: 15 } });
});

test("a nested call goes one level deeper, is named by its position and is replayed like any other", async () => {
  const body = JSON.stringify({ object: "chat.completion", choices: [], output: { child: 1 } });
  const invoke = () => Promise.resolve({ body, promptTokens: 7, completionTokens: 2, costUsd: 0.5 });
  const job = await runtime.job(
    scriptOf(`${CATCH} await ask("first");
    const { output } = await ctx.workflow.completions.create({ model: "workflow:child", input: { n: 1 } });
    return output;`),
    { depth: 3 },
  );
  const first = await runtime.finish(job, { invoke });
  expect(first).toMatchObject({
    output: '{"child":1}',
    usage: { promptTokens: 17, completionTokens: 7, costUsd: 0.5 },
  });
  expect(first.host.nested).toMatchObject([
    { parentId: job.executionId, parentPos: 1, depth: 4, model: "workflow:child", input: { n: 1 } },
  ]);
  const again = await runtime.finish(runtime.resume(job, first.host.records));
  expect(again).toMatchObject({ output: '{"child":1}' });
  expect(again.host.nested).toEqual([]);
});

test("a nested call that is refused for its depth can be caught", async () => {
  const invoke = () => Promise.reject(fail("LIMIT_EXCEEDED", { message: "nesting: 9 levels", limit: "maxNesting" }));
  const outcome = await run(
    `${CATCH} return await caught(() => ctx.workflow.completions.create({ model: "workflow:self" }));`,
    { depth: 8 },
    { invoke },
  );
  expect(outcome).toMatchObject({ output: '["LimitError","LIMIT_EXCEEDED","nesting: 9 levels","maxNesting"]' });
});
