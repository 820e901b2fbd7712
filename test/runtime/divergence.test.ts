import { afterAll, beforeAll, expect, test } from "vitest";
import type { JournalRecord } from "../../runtime/execution.ts";
import { type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

let runtime: BareRuntime;

beforeAll(async () => {
  runtime = await startBareRuntime();
});
afterAll(() => runtime.close());

const chat = (text: string) =>
  `await ctx.chat.completions.create({ messages: [{ role: "user", content: ${JSON.stringify(text)} }] });`;
const THREE = scriptOf(`${chat("one")} ${chat("two")} ${chat("three")} return "done";`);

async function recordThree(): Promise<readonly JournalRecord[]> {
  const { host } = await runtime.finish(await runtime.job(THREE));
  return host.records;
}

test("other arguments stop the replay with both sides and the position", async () => {
  const records = await recordThree();
  const changed = await runtime.job(scriptOf(`${chat("one")} ${chat("TWO")} ${chat("three")} return "done";`));
  const calls = runtime.stub.calls.length;
  const { host, ...outcome } = await runtime.finish(runtime.resume(changed, records));
  expect(outcome).toMatchObject({
    status: "failed",
    error: {
      code: "REPLAY_DIVERGED",
      message: "Replay diverged at ctx call 1: the script now makes other arguments.",
      details: {
        position: 1,
        recorded: { op: "chat.completions.create", hash: records[1]?.hash },
        replayed: { op: "chat.completions.create" },
      },
    },
  });
  expect(runtime.stub.calls.length).toBe(calls);
  expect(host.records).toEqual(records);
});

test("another op stops the replay and names both ops", async () => {
  const records = await recordThree();
  const changed = await runtime.job(
    scriptOf(`${chat("one")} await ctx.http.get("http://127.0.0.1:1/"); return "done";`),
  );
  const calls = runtime.stub.calls.length;
  expect(await runtime.finish(runtime.resume(changed, records))).toMatchObject({
    status: "failed",
    error: {
      code: "REPLAY_DIVERGED",
      details: {
        position: 1,
        recorded: { op: "chat.completions.create" },
        replayed: { op: "http.request" },
      },
    },
  });
  expect(runtime.stub.calls.length).toBe(calls);
});

test("a script cannot catch a divergence", async () => {
  const records = await recordThree();
  const changed = await runtime.job(
    scriptOf(`try { ${chat("ONE")} } catch { return "caught"; } finally { ctx.emit("finally", 1); } return "done";`),
  );
  expect(await runtime.finish(runtime.resume(changed, records))).toMatchObject({
    status: "failed",
    error: { code: "REPLAY_DIVERGED", details: { position: 0 } },
  });
});

test("calls beyond the recorded ones are simply made", async () => {
  const records = await recordThree();
  const longer = await runtime.job(
    scriptOf(`${chat("one")} ${chat("two")} ${chat("three")} ${chat("four")} return "more";`),
  );
  const calls = runtime.stub.calls.length;
  expect(await runtime.finish(runtime.resume(longer, records))).toMatchObject({
    status: "completed",
    output: '"more"',
  });
  expect(runtime.stub.calls.length).toBe(calls + 1);
});

test("a script cannot report a divergence that did not happen as the server's", async () => {
  const job = await runtime.job(
    scriptOf(`throw Object.assign(new Error("no"), { code: "INTERNAL", name: "WorkflowError" });`),
  );
  expect(await runtime.finish(job)).toMatchObject({ status: "failed", error: { code: "EXECUTION_FAILED" } });
});
