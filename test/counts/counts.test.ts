import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { type Counts, installCounters } from "./counters.ts";

// What a run costs that does not depend on the machine: whoever makes it cost more has to change a number here.

const ask = (times: string, text: string) =>
  `export const execute = async (ctx) => { const ask = (n) => ctx.chat.completions.create({ messages: [{ role: "user", content: "" + n }] }); ${times} return ${text}; };`;

const SCRIPTS = {
  echo: "export const execute = (ctx) => ctx.input;",
  ten: ask("for (let n = 0; n < 10; n++) await ask(n);", "10"),
  hundred: ask("await Promise.all(Array.from({ length: 100 }, (_, n) => ask(n)));", "100"),
  emits: 'export const execute = (ctx) => { for (let n = 0; n < 1_000; n++) ctx.emit("progress", { n }); return 1; };',
};
const FRESH = { cache: "no-store" } as const;

/** Commits of the server's own that may fall into a measurement. */
const UPKEEP = 2;

const counters = installCounters();
let core: TestCore;
let stub: ModelStub;
beforeAll(async () => {
  stub = await startModelStub();
  core = await startTestCore({
    ...{ WEFT_WORKERS: "1", WEFT_DURABILITY: "full" },
    ...{ OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk-stub" },
  });
  for (const [ref, script] of Object.entries(SCRIPTS)) {
    await core.deploy(ref, script);
    // The first run has the bundle to send.
    expect(await core.run(ref, FRESH)).toMatchObject({ status: "completed" });
  }
});
afterAll(async () => {
  await core.close();
  await stub.close();
  vi.restoreAllMocks();
});

const runOf = (ref: keyof typeof SCRIPTS, input?: unknown): Promise<Counts> =>
  counters.during(async () => expect(await core.run(ref, { ...FRESH, input })).toMatchObject({ status: "completed" }));

test("a run without ops is one message to its worker, one back and one commit", async () => {
  const counts = await runOf("echo", "x");
  expect(counts).toMatchObject({ sent: 1, sentMessages: 1, received: 1, receivedMessages: 1 });
  expect(counts.commits).toBeLessThanOrEqual(1 + UPKEEP);
  expect(counts.statements).toBeLessThanOrEqual(8 + 4 * UPKEEP);
});

test("a sequential op is one message to the worker, one back, one commit and no more than four statements", async () => {
  const counts = await runOf("ten");
  expect(counts).toMatchObject({ sent: 11, sentMessages: 11, received: 11, receivedMessages: 11 });
  expect(counts.commits).toBeLessThanOrEqual(11 + UPKEEP);
  expect(counts.flushes).toBeLessThanOrEqual(counts.commits);
  expect(counts.statements).toBeLessThanOrEqual(8 + 10 * 4 + 4 * UPKEEP);
});

test("ops side by side share messages, and a hundred of them a handful of commits", async () => {
  const counts = await runOf("hundred");
  expect(counts.sentMessages).toBe(101);
  expect(counts.sent).toBeLessThanOrEqual(30);
  expect(counts.receivedMessages).toBe(101);
  expect(counts.commits).toBeLessThanOrEqual(30);
  expect(counts.statements).toBeLessThanOrEqual(8 + 100 + 2 * 30);
});

test("chunks of a turn travel together", async () => {
  const counts = await runOf("emits");
  expect(counts.receivedMessages).toBe(1_001);
  expect(counts.received).toBeLessThanOrEqual(50);
  expect(counts.sent).toBe(1);
  expect(counts.commits).toBeLessThanOrEqual(5);
});

test("runs that begin together share one message and a handful of commits", async () => {
  const counts = await counters.during(() => Promise.all(Array.from({ length: 50 }, () => core.run("echo", FRESH))));
  expect(counts).toMatchObject({ sent: 1, sentMessages: 50, receivedMessages: 50 });
  expect(counts.commits).toBeLessThanOrEqual(20);
  expect(counts.statements).toBeLessThanOrEqual(50 * 8);
});

test("an answer from the result cache asks nothing of a worker, and waits for no commit", async () => {
  await core.run("echo", { input: "again" });
  const counts = await counters.during(async () =>
    expect(await core.run("echo", { input: "again" })).toMatchObject({ status: "completed" }),
  );
  expect(counts).toMatchObject({ sent: 0, received: 0 });
  expect(counts.commits).toBeLessThanOrEqual(UPKEEP);
});

test("input and output cross to the worker once each, as text", async () => {
  const small = await runOf("echo", "");
  const size = 512 * 1024;
  const large = await runOf("echo", "x".repeat(size));
  expect((large.sentBytes - small.sentBytes) / size).toBeCloseTo(1, 2);
  expect((large.receivedBytes - small.receivedBytes) / size).toBeCloseTo(1, 2);
  expect(small.sentBytes).toBeLessThan(2_500);
  expect(small.receivedBytes).toBeLessThan(500);
});
