import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { compileGraph } from "../../src/graph/compile.ts";
import { parseGraph } from "../../src/graph/parse-graph.ts";
import { type GraphBench, startGraphBench } from "./run-graph.ts";
import { MARKETING, STARTER, SUPPORT } from "./samples.ts";

let bench: GraphBench;

beforeAll(async () => {
  bench = await startGraphBench();
});
beforeEach(() => bench.stub.always({}));
afterAll(() => bench.close());

const output = (answer: Readonly<Record<string, unknown>>) => answer["output"] ?? answer;

describe("the samples of the published APIs", () => {
  test("Motte's: the answer of one model is in the prompt of the next", async () => {
    bench.stub.always((body) => ({
      content: JSON.stringify(body).includes("Classify") ? '{"category":"account_access"}' : "Let me help.",
    }));
    const before = bench.stub.calls.length;
    const answer = await bench.run("motte", SUPPORT, { message: "I can't log in" });
    expect(output(answer)).toEqual({
      classifier: { category: "account_access" },
      responder: { response: "Let me help." },
    });
    const prompts = bench.stub.calls
      .slice(before)
      .map(({ body }) => (body["messages"] as { content: string }[])[0]?.content);
    expect(prompts).toEqual([
      'Classify this customer inquiry: {"message":"I can\'t log in"}',
      'Generate a helpful response for this account_access inquiry: {"message":"I can\'t log in"}',
    ]);
  });

  test("Motte's: an edge that is not taken leaves its node out", async () => {
    bench.stub.always({ content: '{"category":"spam"}' });
    expect(output(await bench.run("motte", SUPPORT, "buy now"))).toEqual({ classifier: { category: "spam" } });
  });

  test("SolCognia's: defaults, a script, a condition and an output", async () => {
    bench.stub.always({ content: Array.from({ length: 25 }, (_, i) => `word${i}`).join(" ") });
    const answer = await bench.run("solcognia", MARKETING, { product_description: "tea" });
    expect(output(answer)).toEqual({ ad: expect.stringMatching(/^word0 .* word24$/) });
    const body = bench.stub.calls.at(-1)?.body;
    expect(body).toMatchObject({ model: "gpt-4", temperature: 0.7, max_tokens: 500 });
    expect(body?.["messages"]).toEqual([
      { role: "system", content: "You are a copywriter." },
      { role: "user", content: "Write a casual ad for tea" },
    ]);
  });

  test("Powabase's: the variables come out as they went in", async () => {
    expect(output(await bench.run("powabase", STARTER, { text: "hi", n: 3 }))).toEqual({ text: "hi", n: 3 });
  });
});

test("a call with a text, or with messages alone, gives the first text input", async () => {
  bench.stub.always({ content: Array.from({ length: 25 }, () => "word").join(" ") });
  const said = () => ((bench.stub.calls.at(-1)?.body["messages"] ?? []) as { content: string }[]).at(-1)?.content;
  await bench.run("solcognia", MARKETING, "tea");
  expect(said()).toBe("Write a casual ad for tea");
  await bench.run("solcognia", MARKETING, undefined, { messages: [{ role: "user", content: "coffee" }] });
  expect(said()).toBe("Write a casual ad for coffee");
});

test("what a graph is compiled to can be read", () => {
  const { upload } = compileGraph(parseGraph({ dialect: "solcognia", document: MARKETING }).graph);
  expect(upload.files.map(({ path }) => path)).toEqual(["graph.ts", "nodes/clean_1.ts"]);
  expect(upload.files[0]?.text).toMatch(/content: `Write a .*"tone".* ad for .*"product_description"/);
});
