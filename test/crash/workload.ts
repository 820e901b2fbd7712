import { expect } from "vitest";
import type { Chunk } from "../../runtime/execution.ts";
import type { Balance, Execution } from "../../src/store/store.ts";

/** Input of one `mix` execution. */
export interface MixInput {
  /** Unique; part of everything the execution asks. */
  readonly id: string;
  /** Address of the counting HTTP upstream. */
  readonly http: string;
  /** A sleep in the middle, ms. */
  readonly napMs: number;
}

/** What `mix` returns. */
interface MixOutput {
  readonly id: string;
  readonly all: readonly string[];
  readonly winner: string;
  readonly streamed: string;
  readonly posted: string;
  readonly child: { readonly leaf: readonly string[]; readonly deep: readonly string[] | null };
  readonly trail: readonly string[];
}

const ASK = `
  const ask = async (text) => {
    const messages = [{ role: "user", content: text }, { role: "system", content: Date.now() + " " + Math.random() }];
    return (await ctx.chat.completions.create({ messages })).choices[0].message.content;
  };`;

/** Every way an execution can wait, with clock and randomness in the arguments, so that a replay that strays is seen. */
const MIX = `export async function execute(ctx) {
  const { id, http, napMs } = ctx.input;
  const trail = [];
  const note = (label) => { trail.push(label); ctx.emit("step", label); };
  ${ASK}
  note("start " + Date.now());
  const timers = Promise.all([7, 3, 5, 1].map((ms) => new Promise((resolve) => {
    setTimeout(() => { note("timer " + ms + " at " + Date.now()); resolve(); }, ms * 9);
  })));
  const all = await Promise.all(["a", "b", "c", "d"].map(async (name) => {
    const text = await ask(id + "/all-" + name);
    note(name + " " + Math.random());
    return text;
  }));
  const racers = ["x", "y", "z"].map((name) => ask(id + "/race-" + name));
  const winner = await Promise.race(racers);
  note(winner);
  // No call for a while: what a chunk tells rests on the timers alone.
  for (let tick = 0; tick < 8; tick++) {
    await Promise.race([30, 31].map((ms) => new Promise((resolve) => setTimeout(resolve, ms))));
    note("tick at " + Date.now());
  }
  const nested = ctx.workflow.completions.create({ model: "workflow:leaf", input: { id: id + "/leaf", deeper: true } });
  const post = ctx.http.post(http, { json: { id: id + "/post", at: Date.now() } });
  const stream = await ctx.chat.completions.create({ messages: [{ role: "user", content: id + "/stream some more words" }], stream: true });
  let streamed = "";
  for await (const chunk of stream) {
    const piece = chunk.choices[0]?.delta?.content ?? "";
    if (piece === "") continue;
    streamed += piece;
    note(piece);
  }
  await ctx.sleep(napMs);
  note("slept");
  const posted = (await post).json().echo;
  const child = (await nested).output;
  await timers;
  await Promise.all(racers);
  note(await ask(id + "/last"));
  return { id, all, winner, streamed, posted, child, trail };
}`;

const LEAF = `export async function execute(ctx) {
  const { id, deeper } = ctx.input;
  ${ASK}
  const leaf = await Promise.all([ask(id + "/1"), ask(id + "/2")]);
  const deep = deeper
    ? (await ctx.workflow.completions.create({ model: "workflow:leaf", input: { id: id + "/deep", deeper: false } })).output.leaf
    : null;
  return { leaf, deep };
}`;

/** Sleeps long enough to give its isolate up. */
const NAP = `export async function execute(ctx) {
  ${ASK}
  const before = await ask(ctx.input.id + "/before");
  ctx.emit("step", "before");
  await ctx.sleep(5600);
  ctx.emit("step", "after");
  return { trail: ["before", "after"], before, after: await ask(ctx.input.id + "/after") };
}`;

/** Goes on until its budget is spent. */
const SPEND = `export const config = { budget: { calls: 3 } };
export async function execute(ctx) {
  ${ASK}
  for (let call = 0; call < 20; call++) ctx.emit("step", await ask(ctx.input.id + "/" + call));
}`;

/** Ref → script. */
export const SCRIPTS: Readonly<Record<string, string>> = { mix: MIX, leaf: LEAF, nap: NAP, spend: SPEND };

/** Throws unless an output of `mix` is right for its input, and its chunks are exactly its trail. */
export function expectMix(id: string, outputText: string | null, chunks: readonly Chunk[]): void {
  const output = JSON.parse(outputText ?? "null") as MixOutput;
  expect(output).toMatchObject({
    id,
    all: ["a", "b", "c", "d"].map((name) => `stub: ${id}/all-${name}`),
    winner: expect.stringMatching(new RegExp(`^stub: ${id}/race-[xyz]$`)),
    streamed: `stub: ${id}/stream some more words`,
    posted: `${id}/post`,
    child: {
      leaf: [`stub: ${id}/leaf/1`, `stub: ${id}/leaf/2`],
      deep: [`stub: ${id}/leaf/deep/1`, `stub: ${id}/leaf/deep/2`],
    },
  });
  expectTrail(id, output.trail, chunks);
}

/** Throws unless an output of `nap` is right, and its chunks are exactly its trail. */
export function expectNap(id: string, outputText: string | null, chunks: readonly Chunk[]): void {
  const output = JSON.parse(outputText ?? "null") as { readonly trail: readonly string[] };
  expect(output).toMatchObject({ before: `stub: ${id}/before`, after: `stub: ${id}/after` });
  expectTrail(id, output.trail, chunks);
}

/** Throws when more is spent or set aside than a budget allows. */
export function expectWithinBudget(balance: Balance | null): void {
  if (balance === null) return;
  const { limits, spent, reserved } = balance;
  expect(spent.calls + reserved.calls).toBeLessThanOrEqual(limits.calls ?? 0);
}

/** Throws unless an execution of `spend` waits at the end of its budget: with all calls that fit into it, and no other. */
export function expectSpent({ id, state, usage }: Execution): void {
  expect(state, `spend ${id}`).toMatchObject({ status: "waiting", shortage: { unit: "calls", spent: 3, reserved: 0 } });
  // A call whose answer a crash took along before it was recorded was paid all the same.
  expect(usage.ops, `spend ${id}`).toBeLessThanOrEqual(3);
  expect(usage, `spend ${id}`).toMatchObject({ promptTokens: 10 * usage.ops, completionTokens: 5 * usage.ops });
}

function expectTrail(id: string, trail: readonly string[], chunks: readonly Chunk[]): void {
  expect(
    chunks.map(({ index }) => index),
    `chunk numbers of ${id}`,
  ).toEqual(chunks.map((_, index) => index));
  expect(
    chunks.map(({ content }) => JSON.parse(content) as unknown),
    `chunks of ${id}`,
  ).toEqual(trail);
}
