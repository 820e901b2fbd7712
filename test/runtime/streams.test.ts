import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { fail, toRecord } from "../../runtime/errors.ts";
import { type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

let runtime: BareRuntime;

beforeAll(async () => {
  runtime = await startBareRuntime();
});
afterEach(() => runtime.stub.always({}));
afterAll(() => runtime.close());

const OPEN = `
  const open = (text) => ctx.chat.completions.create({ messages: [{ role: "user", content: text }], stream: true });
  const textOf = (chunk) => chunk.choices[0]?.delta?.content ?? "";`;

const outputOf = (outcome: { readonly status: string; readonly output?: string | null }): unknown => {
  expect(outcome).toMatchObject({ status: "completed" });
  return JSON.parse(outcome.output ?? "null");
};

test("leaving a stream early ends the model's answer while the script goes on", async () => {
  runtime.stub.always({ content: "word ".repeat(1_000), chunkDelayMs: 20 });
  const job = await runtime.job(
    scriptOf(`${OPEN}
    for await (const chunk of await open("long")) if (textOf(chunk) !== "") break;
    ctx.write("left");
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    return null;`),
  );
  const { outcome } = runtime.start(job);
  await expect.poll(() => runtime.stub.calls.at(-1)?.abandoned).toBe(true);
  runtime.cancel(job.executionId, toRecord(fail("EXECUTION_CANCELLED")));
  expect(await outcome).toMatchObject({ status: "failed", error: { code: "EXECUTION_CANCELLED" } });
});

const LEAVING = scriptOf(`${OPEN}
  const ask = async (text) => (await ctx.chat.completions.create({ messages: [{ role: "user", content: text }] })).choices[0].message.content;
  const stream = await open("one two three four five six");
  const seen = [];
  for await (const chunk of stream) {
    if (textOf(chunk) === "") continue;
    seen.push(textOf(chunk));
    ctx.write(textOf(chunk));
    if (seen.length === 2) break;
  }
  const after = await ask("after");
  const again = [];
  for await (const chunk of stream) again.push(chunk);
  const final = await stream.final().catch((error) => error.code);
  return { seen, after, again, final };`);

test("a stream that was left replays to the same place, wherever its journal is cut", async () => {
  runtime.stub.always({ chunkDelayMs: 5 });
  const job = await runtime.job(LEAVING);
  const { host, ...outcome } = await runtime.finish(job);
  const expected = { seen: ["stub:", " one"], after: "stub: after", again: [], final: "INVALID_REQUEST" };
  expect(outputOf(outcome)).toEqual(expected);
  for (let cut = 0; cut <= host.records.length; cut++) {
    const { host: _, ...resumed } = await runtime.finish(runtime.resume(job, host.records.slice(0, cut)));
    expect(outputOf(resumed), `cut at ${cut}`).toEqual(expected);
  }
});

test("a stream that is left after its whole was asked for goes on to its end", async () => {
  const script = scriptOf(`${OPEN}
    const stream = await open("one two three");
    const final = stream.final();
    for await (const chunk of stream) break;
    return (await final).choices[0].message.content;`);
  expect(outputOf(await runtime.finish(await runtime.job(script)))).toBe("stub: one two three");
});

test("chunks asked for at once come in order, and all askers learn of the end", async () => {
  runtime.stub.always({ chunkDelayMs: 5 });
  const script = scriptOf(`${OPEN}
    const iterator = (await open("one two three"))[Symbol.asyncIterator]();
    const results = await Promise.all(Array.from({ length: 20 }, () => iterator.next()));
    return { text: results.map(({ value }) => (value ? textOf(value) : "")).join(""), done: results.at(-1).done };`);
  expect(outputOf(await runtime.finish(await runtime.job(script)))).toEqual({
    text: "stub: one two three",
    done: true,
  });
});
