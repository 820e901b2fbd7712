import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hostsOf, killHard } from "../support/host-processes.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { call, callStream, upload } from "./client.ts";

let stub: ModelStub;
let server: TestServer;

const TALK = `export async function execute(ctx) {
  const ask = async (text) => (await ctx.chat.completions.create({ messages: [{ role: "user", content: text }] })).choices[0].message.content;
  const { id } = ctx.input;
  ctx.write("begun ");
  const first = await Promise.all([ask(id + " quick 1"), ask(id + " quick 2")]);
  ctx.emit("progress", first);
  const stream = await ctx.chat.completions.create({ messages: [{ role: "user", content: id + " slow one two three" }], stream: true });
  let text = "";
  for await (const chunk of stream) {
    const piece = chunk.choices[0]?.delta?.content ?? "";
    text += piece;
    if (piece !== "") ctx.write(piece);
  }
  return { first, text };
}`;
const PARENT = `export async function execute(ctx) {
  return (await ctx.workflow.completions.create({ model: "workflow:child", input: ctx.input })).output;
}`;
/** One version per test: a version that was suspected twice gets a host process per execution, which a test then kills. */
const SCRIPTS = { sync: TALK, stream: TALK, child: TALK, parent: PARENT, many: TALK };

beforeAll(async () => {
  stub = await startModelStub();
  server = await startTestServer({ OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk-stub", WEFT_WORKERS: "2" });
  await upload(server.url, SCRIPTS);
});
beforeEach(() => {
  stub.always((body) => (textOf(body).includes("slow") ? { delayMs: 120, chunkDelayMs: 60 } : {}));
});
afterAll(async () => {
  await server.close();
  await stub.close();
});

const textOf = (body: Readonly<Record<string, unknown>>) =>
  (body["messages"] as { readonly content: string }[])[0]?.content ?? "";
const asked = (text: string) => stub.calls.filter(({ body }) => textOf(body) === text).length;

async function killHostsOnce(id: string): Promise<void> {
  await until(() => asked(`${id} slow one two three`) > 0);
  // In the middle of the stream: some of its pieces have been sent on.
  await wait(220);
  for (const pid of hostsOf(process.pid)) killHard(pid);
}

const right = (id: string) => ({
  first: [`stub: ${id} quick 1`, `stub: ${id} quick 2`],
  text: `stub: ${id} slow one two three`,
});

function expectPaidOnce(id: string): void {
  expect([asked(`${id} quick 1`), asked(`${id} quick 2`)]).toEqual([1, 1]);
  // In flight when its host died: it went on in the worker.
  expect(asked(`${id} slow one two three`)).toBe(1);
}

describe("when only the host process dies", () => {
  test("an open sync request still gets its answer", async () => {
    const [answer] = await Promise.all([call(server.url, "sync", { input: { id: "sync" } }), killHostsOnce("sync")]);
    expect(answer).toMatchObject({ status: 200, json: { output: right("sync") } });
    expectPaidOnce("sync");
  });

  test("an open stream goes on without a gap or a repeat", async () => {
    const [frames] = await Promise.all([
      callStream(server.url, "stream", { input: { id: "stream" } }),
      killHostsOnce("stream"),
    ]);
    const written = frames.filter(({ type }) => type === "delta").map(({ content }) => content);
    expect(written.join("")).toBe("begun stub: stream slow one two three");
    expect(frames.filter(({ type }) => type === "progress")).toHaveLength(1);
    expect(frames.at(-1)).toMatchObject({ output: right("stream") });
    expectPaidOnce("stream");
  });

  test("a parent and its child both go on", async () => {
    const [answer] = await Promise.all([
      call(server.url, "parent", { input: { id: "nested" } }),
      killHostsOnce("nested"),
    ]);
    expect(answer).toMatchObject({ status: 200, json: { output: right("nested") } });
    expectPaidOnce("nested");
  });

  test("twenty open requests are all answered", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    const answers = ids.map((id) => call(server.url, "many", { input: { id } }));
    const results = await Promise.all([Promise.all(answers), killHostsOnce("many-19")]);
    expect(results[0]).toMatchObject(ids.map((id) => ({ status: 200, json: { output: right(id) } })));
    for (const id of ids) expectPaidOnce(id);
  });

  test("nothing of it is a bug to report", () => {
    expect(server.reported).toEqual([]);
  });
});
