import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ImportError, importWorkflow } from "../../../src/graph/import/index.ts";
import { inspectGraph } from "../../../src/graph/parse-graph.ts";
import { type GraphBench, startGraphBench } from "../run-graph.ts";
import { DIFY, FLOWISE, N8N } from "./exports.ts";

let bench: GraphBench;

beforeAll(async () => {
  bench = await startGraphBench();
});
afterAll(() => bench.close());

const errorsOf = (document: unknown) => inspectGraph({ dialect: "solcognia", document }).problems.errors;

describe("n8n", () => {
  const found = importWorkflow(JSON.stringify(N8N), null);

  test("is recognised, and what it says becomes a valid graph", () => {
    expect(found).toMatchObject({ product: "n8n", name: "Lead check" });
    expect(errorsOf(found.document)).toEqual([]);
    expect(found.document.nodes).toMatchObject([
      {
        ...{ id: "look_up", type: "http_request", position: { x: 200, y: 0 } },
        config: {
          ...{ method: "GET", url: "https://api.example.com/{{input.company}}" },
          ...{ params: { q: "{{input.company}}" }, on_error: "continue" },
        },
      },
      { id: "big", type: "condition", config: { condition: "look_up.data.size > 100" } },
      { id: "say_so", type: "ai_model", config: { model: "gpt-4o", prompt: "Praise {{look_up.data.name}}" } },
      { id: "small", type: "processing", config: { template: { note: "small" } } },
      { id: "post", type: "pass" },
    ]);
    expect(found.document.connections).toEqual([
      { from: "look_up", to: "big" },
      { from: "big", to: "say_so", condition: "true" },
      { from: "big", to: "small", condition: "false" },
      { from: "say_so", to: "post" },
    ]);
  });

  test("names exactly what it could not take over", () => {
    expect(found.unmapped).toEqual([
      {
        node: "Post",
        type: "n8n-nodes-base.slack",
        why: "there is no node of this kind here; it passes on what it gets",
      },
    ]);
  });
});

describe("Dify", () => {
  const found = importWorkflow(DIFY, null);

  test("is recognised as YAML, and runs", async () => {
    expect(found).toMatchObject({ product: "dify", name: "Answerer", description: "Classifies and answers." });
    expect(errorsOf(found.document)).toEqual([]);
    bench.stub.always({ content: "billing" });
    const answer = await bench.run("solcognia", found.document, { question: "Why?" });
    expect(answer["output"]).toEqual({ loud: "BILLING" });
    expect(bench.stub.calls.at(-1)?.body["messages"]).toEqual([
      { role: "system", content: "Answer with one word." },
      { role: "user", content: "Classify Why?" },
    ]);
  });

  test("names exactly what it could not take over", () => {
    expect(found.unmapped).toEqual([
      {
        node: "Extract",
        type: "parameter-extractor",
        why: "there is no node of this kind here; it passes on what it gets",
      },
    ]);
  });
});

describe("Flowise", () => {
  const found = importWorkflow(JSON.stringify(FLOWISE), null);

  test("is recognised, and runs", async () => {
    expect(found.product).toBe("flowise");
    expect(errorsOf(found.document)).toEqual([]);
    bench.stub.always({ content: "yes indeed" });
    const answer = await bench.run("solcognia", found.document, { question: "hi" });
    expect(answer["output"]).toBe("It said yes indeed");
    expect(bench.stub.calls.at(-1)?.body["messages"]).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Say hi" },
    ]);
    bench.stub.always({ content: "never" });
    expect((await bench.run("solcognia", found.document, { question: "hi" }))["output"]).toBe("No.");
  });

  test("names exactly what it could not take over", () => {
    expect(found.unmapped).toEqual([
      { node: "Tool", type: "toolAgentflow", why: "there is no node of this kind here; it passes on what it gets" },
    ]);
  });
});

test.each([
  ["no object", "[]", /must be an object/],
  ["neither JSON nor YAML", "{ broken", /neither JSON nor YAML/],
  ["another product's", '{"nodes":[]}', /could be recognised/],
  ["one that is nested too deeply", `${'{"a":'.repeat(150)}1${"}".repeat(150)}`, /nested deeper than 100/],
  [
    "YAML that grows without end",
    `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[..."bcdefghij"].map((name, i) => `${name}: &${name} [${`*${"abcdefghij"[i]},`.repeat(10)}]`).join("\n")}`,
    /neither JSON nor YAML|recognised/,
  ],
  [
    "a chain of Flowise",
    JSON.stringify({ nodes: [{ id: "x", data: { name: "chatOpenAI", inputs: {} } }], edges: [] }),
    /only agentflows/,
  ],
])("refuses %s", (_what, text, message) => {
  expect(() => importWorkflow(text, null)).toThrow(message);
  expect(() => importWorkflow(text, null)).toThrow(ImportError);
});

test("hostile names and members stay data", () => {
  const hostile = JSON.parse(
    '{"name":"x","nodes":[{"name":"__proto__","type":"n8n-nodes-base.noOp","parameters":{"__proto__":{"x":1}}},{"name":"constructor","type":"n8n-nodes-base.constructor"}],"connections":{"__proto__":{"main":[[{"node":"constructor"}]]}}}',
  ) as object;
  const { document, unmapped } = importWorkflow(JSON.stringify(hostile), "n8n");
  expect(errorsOf(document)).toEqual([]);
  expect(unmapped).toHaveLength(1);
});
