import { expect, test } from "vitest";
import type { ModelObject } from "../../runtime/models/completion.ts";
import type { ModelRoute } from "../../runtime/models/config.ts";
import { createSpender } from "../../runtime/models/spender.ts";
import type { Cost } from "../../runtime/spending.ts";

const route: ModelRoute = {
  baseUrl: "http://model.example/v1",
  apiKey: null,
  upstreamModel: null,
  promptPrice: 1,
  completionPrice: 1,
  timeoutMs: 1,
  maxRetries: 0,
  streamUsage: true,
  isPriced: true,
  maxOutputTokens: null,
  maxInputTokens: null,
};
const body = { messages: [{ role: "user", content: "hi" }], max_tokens: 1_000 };

/** What the ledger is told of a stream that is left after some chunks, and of the most that it could have cost. */
async function costOfLeft(chunks: readonly ModelObject[]): Promise<{ readonly cost: Cost; readonly worst: Cost }> {
  const left = new AbortController();
  const told: Cost[] = [];
  const reserved: Cost[] = [];
  const spending = {
    usd: true,
    async reserve(worst: Cost) {
      reserved.push(worst);
      return { settle: (cost: Cost) => void told.push(cost) };
    },
  };
  const request = { body, spending, maxOutputTokens: 1_000, signal: left.signal };
  const spender = createSpender({ api: "chat", name: "m", route }, request);
  await spender.ready();
  for (const chunk of chunks) spender.saw(chunk);
  left.abort();
  const [cost, worst] = [told[0], reserved[0]];
  if (cost === undefined || worst === undefined || told.length > 1) throw new Error("it is not settled once");
  return { cost, worst };
}

const delta = (said: object): ModelObject => ({ choices: [{ index: 0, delta: said }] });
const usage = (prompt: number, completion: number): ModelObject => ({
  choices: [],
  usage: { prompt_tokens: prompt, completion_tokens: completion },
});

test("a stream that is left before the model says anything costs the worst case", async () => {
  const { cost, worst } = await costOfLeft([delta({ role: "assistant", content: "" })]);
  expect(cost).toEqual(worst);
});

test("a stream that is left after the upstream said what it costs, costs that and what came since", async () => {
  const said = { content: "x".repeat(200) };
  const early = await costOfLeft([usage(9, 1), delta(said)]);
  expect(early.cost).toEqual({ nanoUsd: (10 + 214) * 1_000, tokens: 10 + 214, calls: 1 });
  const late = await costOfLeft([delta(said), usage(9, 50)]);
  expect(late.cost).toEqual({ nanoUsd: 59_000, tokens: 59, calls: 1 });
  const flood = await costOfLeft([usage(9, 1), delta({ content: "x".repeat(10_000) })]);
  expect(flood.cost).toEqual(flood.worst);
});
