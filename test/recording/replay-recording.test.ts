import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Bundle, Runtime } from "../../runtime/index.ts";
import type { Recording } from "../../src/recording/format.ts";
import { readRecording } from "../../src/recording/read-recording.ts";
import { replayRecording } from "../../src/recording/replay-recording.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
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

async function record(executionId: string): Promise<Recording> {
  const lines: string[] = [];
  for await (const line of core.replays.recording({ accountId: core.accountId, executionId, accessories: true }))
    lines.push(JSON.stringify(line));
  return readRecording(lines);
}

async function recordRun(ref: string, script: string, input: unknown = null): Promise<Recording> {
  await core.deploy(ref, script);
  const invocation = await core.invoke(ref, { input, cache: "no-store" });
  await invocation.result;
  return record(invocation.executionId);
}

const bundleOf = (text: string, runtime: Runtime = core.runtime): Promise<Bundle> =>
  runtime.bundle({ files: [{ path: "new.ts", text }] });

const ask = (question: string) =>
  `await ctx.chat.completions.create({ messages: [{ role: "user", content: ${question} }] })`;

describe("replaying a recording", () => {
  test("gives the same result without calling anything", async () => {
    const recording = await recordRun(
      "busy",
      `export async function execute(ctx) {
        const replies = await Promise.all(["a", "b"].map(async (name) => ${ask("name + Math.random()")}));
        ctx.emit("step", { at: Date.now(), id: crypto.randomUUID() });
        await ctx.sleep(20);
        return { texts: replies.map((reply) => reply.choices[0].message.content), at: Date.now() };
      }`,
    );
    const calls = stub.calls.length;
    expect(recording.head.execution.end.status).toBe("completed");
    const report = await replayRecording(core.runtime, recording);
    expect(report.verdict).toEqual({ verdict: "identical" });
    expect(stub.calls.length).toBe(calls);
  });

  test("so does an agent's: its definition and each of its calls are in the recording", async () => {
    const { accountId } = core;
    const definition = { name: "replayed", system_prompt: "Be brief.", tools: [{ type: "workflow", ref: "sum" }] };
    await core.deploy("sum", "export const execute = (ctx) => ctx.input.a + ctx.input.b");
    await core.agents.put({ accountId, definition, notes: "", activate: true, expects: "new" });
    stub.script({ toolCalls: [{ name: "sum", arguments: '{"a":1,"b":2}' }] }, { content: "three" });
    const recording = await recordRun("agent", `export const execute = (ctx) => ctx.agents.run("replayed", "add")`);
    await core.agents.remove({ accountId, key: "replayed" });
    const calls = stub.calls.length;
    const report = await replayRecording(core.runtime, recording);
    expect(report.verdict).toEqual({ verdict: "identical" });
    expect([recording.head.execution.end, stub.calls.length]).toMatchObject([{ output: '"three"' }, calls]);
  });

  test("a run that only waited and looked at the clock is the same, too", async () => {
    const script = `export async function execute(ctx) {
      const first = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 15));
      await ctx.sleep(10);
      return { waited: Date.now() - first, last: Date.now() };
    }`;
    const { verdict } = await replayRecording(core.runtime, await recordRun("clock", script));
    expect(verdict).toEqual({ verdict: "identical" });
  });

  test("the time left is what the script was told", async () => {
    const script = `export async function execute(ctx) {
      const left = ctx.remaining_ms();
      ${ask('"in " + left')};
      return { left, later: ctx.remaining_ms() };
    }`;
    const recording = await recordRun("hurried", script);
    expect(recording.head.job.deadlineAt).toBeGreaterThan(Date.now());
    expect((await replayRecording(core.runtime, recording)).verdict).toEqual({ verdict: "identical" });
  });

  test("a failure that tells the time of a call that need not be recorded is the same", async () => {
    const script = `export async function execute(ctx) {
      const key = await crypto.subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveBits"]);
      const salt = new Uint8Array(8);
      await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: 200000 }, key, 256);
      throw new Error("at " + Date.now());
    }`;
    const { verdict } = await replayRecording(core.runtime, await recordRun("late", script));
    expect(verdict).toEqual({ verdict: "identical" });
  });

  test("a failed run fails in the same way", async () => {
    const script = `export async function execute(ctx) { ${ask('"x"')}; throw new Error("no luck"); }`;
    const report = await replayRecording(core.runtime, await recordRun("fails", script));
    expect(report.verdict).toEqual({ verdict: "identical" });
    expect(report.outcome).toMatchObject({ status: "failed", error: { message: "no luck" } });
  });

  test("other code is compared: another call, a further call, another output, a crash", async () => {
    const recording = await recordRun(
      "base",
      `export async function execute(ctx) { const r = ${ask('"hello"')}; return r.choices[0].message.content.length; }`,
    );
    const verdictOf = async (body: string) =>
      (
        await replayRecording(core.runtime, recording, {
          bundle: await bundleOf(`export async function execute(ctx) { ${body} }`),
        })
      ).verdict;
    expect(await verdictOf(`const r = ${ask('"hello"')}; return r.choices[0].message.content.length;`)).toEqual({
      verdict: "identical",
    });
    expect(await verdictOf(`${ask('"goodbye"')}; return 1;`)).toMatchObject({
      verdict: "diverges",
      position: 0,
      recorded: { op: "chat.completions.create", args: expect.stringContaining("hello") },
      replayed: { op: "chat.completions.create", args: expect.stringContaining("goodbye") },
    });
    expect(await verdictOf(`${ask('"hello"')}; ${ask('"more"')}; return 1;`)).toMatchObject({
      verdict: "diverges",
      position: 1,
      recorded: null,
      replayed: { args: expect.stringContaining("more") },
    });
    expect(await verdictOf(`${ask('"hello"')}; return "other";`)).toMatchObject({
      verdict: "differs",
      part: "output",
      replayed: "other",
    });
    expect(await verdictOf(`${ask('"hello"')}; return ctx.nothing.at.all;`)).toMatchObject({ verdict: "crashes" });
  });

  test("secrets are not in the recording, and the replay still agrees", async () => {
    await core.deploy(
      "secretive",
      `export async function execute(ctx) {
        const r = ${ask('"key " + ctx.secrets.TOKEN')};
        return { same: r.choices[0].message.content.length > 0, length: Object.keys(ctx.secrets).length };
      }`,
    );
    const invocation = await core.invoke("secretive", { input: 1, secrets: { TOKEN: "very-secret-value" } });
    await invocation.result;
    const recording = await record(invocation.executionId);
    expect(JSON.stringify(recording)).not.toContain("very-secret-value");
    expect(recording.head.execution.secretNames).toEqual(["TOKEN"]);
    expect((await replayRecording(core.runtime, recording)).verdict).toEqual({ verdict: "identical" });
  });

  test("a result that holds a secret is compared as it is stored", async () => {
    await core.deploy("tells", "export const execute = (ctx) => ({ token: ctx.secrets.TOKEN });");
    const invocation = await core.invoke("tells", { input: 1, secrets: { TOKEN: "very-secret-value" } });
    await invocation.result;
    const { verdict, outcome } = await replayRecording(core.runtime, await record(invocation.executionId));
    expect(verdict).toEqual({ verdict: "identical" });
    expect(outcome).toMatchObject({ output: '{"token":"[secret TOKEN]"}' });
  });

  test("the same recording twice at once, and while its execution goes on", async () => {
    await core.deploy(
      "slow",
      `export async function execute(ctx) {
        let sum = 0;
        for (let i = 0; i < 50; i++) { await ctx.waitFor("go-" + i, { timeout: i === 0 ? "1h" : 1 }); sum += i; }
        return sum;
      }`,
    );
    const invocation = await core.invoke("slow", { input: 1, mode: "background" });
    const { executionId } = invocation;
    const { accountId } = core;
    const stateOf = async () => (await core.engine.findExecution({ accountId, executionId })).state.status;
    await until(stateOf, (status) => status === "waiting");
    const recording = await record(executionId);
    const sending = core.waiting.send({ accountId, executionId, name: "go-0", data: 1, id: null, ttlMs: null });
    const replays = Array.from({ length: 8 }, () => replayRecording(core.runtime, recording));
    for (const { verdict } of await Promise.all(replays)) expect(verdict).toEqual({ verdict: "identical" });
    await sending;
    expect(await invocation.result).toMatchObject({ status: "completed", output: "1225" });
  });

  test("one whose host was lost to somebody else is made again", async () => {
    const recording = await recordRun("unlucky", "export const execute = () => 1;");
    let runs = 0;
    const runtime: Pick<Runtime, "run"> = {
      async run(job, host, bundle) {
        const cause = { code: "INTERNAL", message: "lost", details: {} } as const;
        return ++runs === 1 ? { status: "lost", suspect: false, cause } : core.runtime.run(job, host, bundle);
      },
    };
    expect((await replayRecording(runtime, recording)).verdict).toEqual({ verdict: "identical" });
  });

  test("accessories come along", async () => {
    await core.deploy("terms", `export async function execute(ctx) { return await ctx.load_accessory("terms"); }`, {
      accessories: [{ key: "terms", filename: "terms.json", bytes: Buffer.from('{"a":1}') }],
    });
    const invocation = await core.invoke("terms", { input: 2, cache: "no-store" });
    await invocation.result;
    const recording = await record(invocation.executionId);
    expect((await replayRecording(core.runtime, recording)).verdict).toEqual({ verdict: "identical" });
  });

  test("one of another account is not found", async () => {
    const recording = await recordRun("mine", "export const execute = () => 1;");
    const stranger = { accountId: "someone", executionId: recording.head.execution.id, accessories: true };
    const read = async () => {
      for await (const _line of core.replays.recording(stranger));
    };
    await expect(read()).rejects.toMatchObject({ code: "EXECUTION_NOT_FOUND" });
  });
});
