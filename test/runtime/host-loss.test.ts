import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { fail, toRecord } from "../../runtime/errors.ts";
import { type CountingHttp, startCountingHttp } from "../crash/counting-http.ts";
import { hostsOf, killHard } from "../support/host-processes.ts";
import { until } from "../support/until.ts";
import { type Attempt, type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

let runtime: BareRuntime;
let http: CountingHttp;

beforeAll(async () => {
  runtime = await startBareRuntime(2);
  http = await startCountingHttp(() => 700);
});
beforeEach(() => runtime.stub.always({ delayMs: 30, chunkDelayMs: 400 }));
afterAll(async () => {
  await runtime.close();
  await http.close();
});

const STREAM = scriptOf(`
  const messages = [{ role: "user", content: "one two three four " + (ctx.secrets.token ?? "") }];
  const stream = await ctx.chat.completions.create({ messages, stream: true });
  let text = "";
  for await (const chunk of stream) {
    const piece = chunk.choices[0]?.delta?.content ?? "";
    text += piece;
    if (piece !== "") ctx.write(piece);
  }
  return text;`);

const callsFrom = (count: number) => runtime.stub.calls.slice(count);

/** Kills the hosts once `ready`; resolves when the attempt was lost. */
async function loseHost({ outcome }: Attempt, ready: () => boolean): Promise<void> {
  await expect.poll(ready, { interval: 5 }).toBe(true);
  for (const pid of hostsOf(process.pid)) killHard(pid);
  expect(await outcome).toMatchObject({ status: "lost" });
}

test("a streamed call goes on over two deaths of its host, and is metered once", async () => {
  const before = runtime.stub.calls.length;
  const first = runtime.start(await runtime.job(STREAM, { secrets: { token: "sk-hidden-value" } }));
  await loseHost(first, () => first.host.emitted.length >= 1);
  const second = runtime.start(runtime.resume(first.job, first.host.records));
  await loseHost(second, () => second.host.emitted.length >= 2);
  const { host, ...outcome } = await runtime.goOn(second);
  const text = "stub: one two three four sk-hidden-value";
  expect(outcome).toMatchObject({ status: "completed", output: JSON.stringify(text) });
  expect(outcome).toMatchObject({ usage: { promptTokens: 10, completionTokens: 5, ops: 1 } });
  expect(callsFrom(before)).toHaveLength(1);
  expect(host.emitted.map(({ index }) => index)).toEqual(host.emitted.map((_, index) => index));
  expect(JSON.stringify([host.records, host.emitted])).not.toContain("sk-hidden-value");
  // What was recorded along the way replays to the same end.
  const replayed = await runtime.finish(runtime.resume(first.job, host.records));
  expect(replayed).toMatchObject({ status: "completed", output: JSON.stringify(text) });
});

test("calls side by side, of models and over HTTP, are answered once each", async () => {
  runtime.stub.always({ delayMs: 2_000 });
  const script = scriptOf(`
    const ask = async (text) => (await ctx.chat.completions.create({ messages: [{ role: "user", content: text }] })).choices[0].message.content;
    const post = async (id) => (await ctx.http.post(ctx.input, { json: { id } })).json().echo;
    return Promise.all([ask("a"), ask("b"), post("c"), ask("d"), post("e")]);`);
  const before = runtime.stub.calls.length;
  const posted = http.keys.length;
  const first = runtime.start(await runtime.job(script, { input: http.url }));
  await loseHost(first, () => callsFrom(before).length === 3 && http.keys.length === posted + 2);
  const outcome = await runtime.goOn(first);
  expect(outcome).toMatchObject({ status: "completed", output: '["stub: a","stub: b","c","stub: d","e"]' });
  expect(outcome).toMatchObject({ usage: { promptTokens: 30, completionTokens: 15, ops: 5 } });
  expect([callsFrom(before).length, http.keys.length - posted]).toEqual([3, 2]);
});

test("an answer that comes while nobody waits is there for the next attempt", async () => {
  runtime.stub.always({ delayMs: 1_500 });
  const before = runtime.stub.calls.length;
  const first = runtime.start(
    await runtime.job(
      scriptOf(`return (await ctx.chat.completions.create({ messages: [{ role: "user", content: "x" }] })).id;`),
    ),
  );
  await loseHost(first, () => callsFrom(before).length === 1);
  await expect.poll(() => callsFrom(before)[0]?.answered).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await runtime.goOn(first)).toMatchObject({ status: "completed" });
  expect(callsFrom(before)).toHaveLength(1);
});

test("a call that no attempt asks for is given up after a few seconds, and made again when one comes later", async () => {
  runtime.stub.always({ delayMs: 60_000 });
  const before = runtime.stub.calls.length;
  const first = runtime.start(await runtime.job(STREAM));
  await loseHost(first, () => callsFrom(before).length === 1);
  await expect.poll(() => callsFrom(before)[0]?.abandoned).toBe(true);
  runtime.stub.always({});
  expect(await runtime.goOn(first)).toMatchObject({ status: "completed" });
  expect(callsFrom(before)).toHaveLength(2);
});

test("cancelling ends a call that waits for its next attempt", async () => {
  runtime.stub.always({ delayMs: 60_000 });
  const before = runtime.stub.calls.length;
  const first = runtime.start(await runtime.job(STREAM));
  await loseHost(first, () => callsFrom(before).length === 1);
  runtime.cancel(first.job.executionId, toRecord(fail("EXECUTION_CANCELLED")));
  // By itself it would be given up after 5 s.
  await expect.poll(() => callsFrom(before)[0]?.abandoned, { timeout: 4_700 }).toBe(true);
});

test("another execution of the same script makes its own call", async () => {
  const before = runtime.stub.calls.length;
  const first = runtime.start(await runtime.job(STREAM));
  await loseHost(first, () => first.host.emitted.length >= 1);
  const other = runtime.start(await runtime.job(STREAM));
  // The other one may be lost as well, to a host that was killed and is not yet known to be gone: before its call or in it.
  const ends = await Promise.all([first, other].map(runtime.goOn));
  for (const end of ends) expect(end).toMatchObject({ status: "completed" });
  expect(callsFrom(before)).toHaveLength(2);
});

test("a wait belongs to its attempt, and is begun again by the next one", async () => {
  let waits = 0;
  const wait = async () => {
    waits++;
    return null;
  };
  const job = await runtime.job(scriptOf(`return (await ctx.waitFor("go", { timeout: 3_000 })).data;`));
  const over = Promise.withResolvers<string>();
  const first = runtime.start(job, { wait, waited: () => over.promise });
  await loseHost(first, () => waits === 1);
  over.reject(fail("CONFLICT"));
  // Hosts that were killed and are not yet known to be gone may lose an attempt, too.
  const again = () =>
    runtime.finish(runtime.resume(job, first.host.records), { wait, waited: async () => '{"name":"go","data":1}' });
  const second = await until(again, ({ status }) => status !== "lost");
  expect(second).toMatchObject({ status: "completed", output: "1" });
  expect(waits).toBeGreaterThanOrEqual(2);
});

test("a call that asks for money when its host dies is made by the next attempt, and does not fail it", async () => {
  const before = runtime.stub.calls.length;
  let asked = 0;
  const over = Promise.withResolvers<never>();
  const budget = { usd: false };
  const first = runtime.start(await runtime.job(STREAM, { budget }), {
    reserve() {
      asked++;
      return over.promise;
    },
  });
  // As the engine does it: what the attempt asked for is refused once it has ended.
  first.outcome.finally(() => over.reject(fail("CONFLICT", { message: "This attempt is over." })));
  await loseHost(first, () => asked === 1);
  const again = () =>
    runtime.finish(runtime.resume(first.job, first.host.records), { reserve: async () => ({ ticket: 1 }) });
  expect(await until(again, ({ status }) => status !== "lost")).toMatchObject({ status: "completed" });
  expect(callsFrom(before)).toHaveLength(1);
});
