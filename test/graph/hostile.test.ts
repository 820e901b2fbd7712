import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileGraph } from "../../src/graph/compile.ts";
import { typeNames } from "../../src/graph/nodes/index.ts";
import { inspectGraph, parseGraph } from "../../src/graph/parse-graph.ts";
import type { GraphDialect } from "../../src/graph/types.ts";
import { type GraphBench, startGraphBench } from "./run-graph.ts";

const DIALECTS: readonly GraphDialect[] = ["solcognia", "motte", "powabase", "hatz"];
const SEED = Number(process.env["WEFT_GRAPH_SEED"] ?? 1);

let bench: GraphBench;
beforeAll(async () => {
  bench = await startGraphBench();
});
afterAll(() => bench.close());

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const TEXTS = [
  "",
  "a",
  "b",
  "input",
  "__proto__",
  "constructor",
  "{{input}}",
  "{{a.b",
  "{{}}",
  "a == ",
  "(".repeat(50),
  "\u2028`\x24{1}",
  "<a.output>",
  "error",
  "true",
];
const MEMBERS = [
  ...["nodes", "edges", "connections", "blocks", "steps", "settings", "id", "type", "config", "from", "to", "source"],
  ...["target", "condition", "prompt", "model", "script", "code", "conditions", "branches", "expression", "fields"],
  ...["name", "template", "position", "dependencies", "user_inputs", "url", "method", "query", "default", "options"],
];

/** Any JSON, with members and texts that the validator knows. */
function anyJson(random: () => number, depth = 0): unknown {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const kind = Math.floor(random() * (depth > 5 ? 4 : 7));
  if (kind === 0) return pick([null, true, false]);
  if (kind === 1) return pick([0, -1, 1e308, 0.5, 501]);
  if (kind === 2) return pick(TEXTS);
  if (kind === 3) return pick(DIALECTS.flatMap(typeNames));
  const size = Math.floor(random() * 6);
  if (kind === 4) return Array.from({ length: size }, () => anyJson(random, depth + 1));
  return Object.fromEntries(Array.from({ length: size }, () => [pick(MEMBERS), anyJson(random, depth + 1)]));
}

/** A document that looks like one, with anything in it. */
function anyDocument(random: () => number): object {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const types = DIALECTS.flatMap(typeNames);
  const nodes = Array.from({ length: Math.floor(random() * 8) }, (_, i) => ({
    id: random() < 0.8 ? `n${i}` : anyJson(random, 4),
    type: random() < 0.9 ? pick(types) : anyJson(random, 4),
    config: anyJson(random, 2),
  }));
  const edges = Array.from({ length: Math.floor(random() * 10) }, () => {
    const [from, to] = [`n${Math.floor(random() * 9)}`, `n${Math.floor(random() * 9)}`];
    return { from, to, source: from, target: to, condition: random() < 0.5 ? pick(TEXTS) : anyJson(random, 5) };
  });
  return { nodes, blocks: nodes, steps: nodes, edges, connections: edges, settings: anyJson(random, 4) };
}

describe(`random documents (seed ${SEED})`, () => {
  test.each(DIALECTS)("never make the validator of %s throw; what it takes can be compiled", (dialect) => {
    const random = randomOf(SEED);
    let taken = 0;
    for (let i = 0; i < 3_000; i++) {
      const document = i % 3 === 0 ? anyJson(random) : anyDocument(random);
      const { graph, problems } = inspectGraph({ dialect, document });
      if (graph === null) {
        expect(problems.errors.length).toBeGreaterThan(0);
        for (const { path, message } of problems.errors)
          expect([typeof path, typeof message]).toEqual(["string", "string"]);
      } else {
        taken++;
        expect(compileGraph(graph).upload.files.length).toBeGreaterThan(0);
      }
    }
    expect(taken).toBeGreaterThan(0);
  });
});

const problemsOf = (document: unknown, dialect: GraphDialect = "motte") =>
  inspectGraph({ dialect, document }).problems.errors.map(({ path, message }) => `${path}: ${message}`);

const transform = (id: string, script = "1") => ({ id, type: "transform", config: { script } });
const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) });

test.each([
  [
    "501 nodes",
    { nodes: Array.from({ length: 501 }, (_, i) => transform(`n${i}`)) },
    /nodes: may have 500 entries, got 501/,
  ],
  [
    "2001 edges",
    { nodes: [], edges: Array.from({ length: 2_001 }, () => ({ from: "a", to: "b" })) },
    /edges: may have 2000 entries/,
  ],
  [
    "a document that is too large",
    { nodes: [transform("a", "x".repeat(300_000))] },
    /body: has \d+ bytes as JSON, over 262144/,
  ],
  ["deep nesting", { nodes: [{ ...transform("a"), config: nested(100) }] }, /is nested deeper than 60 levels/],
  [
    "__proto__ as a key",
    JSON.parse('{"nodes":[{"id":"a","type":"transform","config":{"__proto__":{"x":1},"script":"1"}}]}'),
    /__proto__: is a reserved name/,
  ],
  ["__proto__ as an id", { nodes: [transform("__proto__")] }, /nodes\[0\].id: "__proto__" is reserved/],
  ["a reserved id", { nodes: [transform("variables")] }, /"variables" is reserved/],
  ["an id twice", { nodes: [transform("a"), transform("a")] }, /nodes\[1\].id: "a" is there twice/],
  ["an id with a slash", { nodes: [transform("a/b")] }, /has a character that ids cannot have/],
  [
    "a cycle, with its nodes",
    {
      nodes: [transform("a"), transform("b"), transform("c")],
      edges: [
        { from: "a", to: "b" },
        { from: "b", to: "c" },
        { from: "c", to: "b" },
      ],
    },
    /edges: form a cycle: (b -> c -> b|c -> b -> c)/,
  ],
  [
    "a template that refers to nothing",
    { nodes: [{ id: "a", type: "llm_agent", config: { model: "m", prompt: "x {{}}" } }] },
    /nodes\[0\].config.prompt: \{\{\}\}: is empty/,
  ],
  [
    "a call in an expression",
    { nodes: [{ id: "a", type: "condition", config: { condition: "input.x.constructor('return 1')()" } }] },
    /(calls are not available|cannot be read)/,
  ],
  [
    "a way out of the data",
    { nodes: [{ id: "a", type: "condition", config: { condition: "input.constructor.prototype" } }] },
    /the member (constructor|prototype) cannot be read/,
  ],
  [
    "an assignment",
    { nodes: [{ id: "a", type: "condition", config: { condition: "input.x = 1" } }] },
    /nodes\[0\].config.condition/,
  ],
  [
    "an expression that is nested without end",
    { nodes: [{ id: "a", type: "condition", config: { condition: `${"(".repeat(4_900)}1${")".repeat(4_900)}` } }] },
    /nodes\[0\].config.condition/,
  ],
  [
    "a condition of an edge that does not parse",
    { nodes: [transform("a"), transform("b")], edges: [{ from: "a", to: "b", condition: "a ==" }] },
    /edges\[0\].condition/,
  ],
])("refuses %s", (_what, document, message) => {
  expect(problemsOf(document).join("\n")).toMatch(message);
});

test("names all problems at once", () => {
  const document = {
    nodes: [
      { id: "a", type: "llm_agent", config: {} },
      { id: "b", type: "nope" },
    ],
    edges: [{ from: "a", to: "z" }],
  };
  expect(problemsOf(document)).toEqual([
    'nodes[1].type: unknown node type "nope"',
    'edges[0].to: there is no node "z"',
    "nodes[0].config.model: is required",
    "nodes[0].config.prompt: is required",
  ]);
});

/** Texts that would leave whatever they are written into. */
const BREAKOUTS = [
  "`); globalThis.pwned = 1; (`",
  "\x24{globalThis.pwned = 1}",
  '"); globalThis.pwned = 1; ("',
  "'); globalThis.pwned = 1; ('",
  "*/ globalThis.pwned = 1; /*",
  "\n}); globalThis.pwned = 1; ({",
  "\u2028globalThis.pwned = 1\u2029",
  "\\`\x24{globalThis.pwned = 1}\\",
  "</script><script>globalThis.pwned = 1</script>",
  "\r\n// globalThis.pwned = 1",
];

describe("texts that would leave their place in the script", () => {
  test.each(BREAKOUTS)("stay text: %j", async (text) => {
    bench.stub.always((body) => ({ content: String((body["messages"] as { content: string }[]).at(-1)?.content) }));
    const document = {
      nodes: [
        { id: "a", type: "llm_agent", name: text, config: { model: "m", prompt: text, system_prompt: text } },
        {
          id: "b",
          type: "transform",
          config: { script: "({ pwned: typeof globalThis.pwned, said: nodes.a.response })" },
        },
      ],
      edges: [{ from: "a", to: "b" }],
    };
    const answer = await bench.run("motte", document, "x");
    expect(answer["output"]).toMatchObject({ b: { pwned: "undefined", said: text } });
  });

  test.each(BREAKOUTS)("stay values in templates of objects: %j", async (text) => {
    const template = { [`k${text}`]: text, list: [text, { deep: text }] };
    const document = { nodes: [{ id: "o", type: "output", config: { format: "json", template } }] };
    const answer = await bench.run("solcognia", document, {});
    expect(answer["output"]).toEqual(template);
  });

  test.each(BREAKOUTS)("stay texts in expressions, routes and defaults: %j", async (text) => {
    const document = {
      nodes: [
        { id: "input", type: "input", config: { fields: [{ name: "x", type: "text", default: text }] } },
        { id: "c", type: "conditional", config: { conditions: [{ expression: "input.x == input.x", handle: text }] } },
        { id: "o", type: "output", config: { template: { same: "{{input.x}}", here: "{{c.branch}}" } } },
      ],
      connections: [
        { from: "input", to: "c" },
        { from: "c", to: "o", condition: text },
      ],
    };
    const answer = await bench.run("solcognia", document, {});
    expect(answer["output"]).toEqual({ same: text, here: text });
  });
});

test("a script that does not parse is refused, with its place", async () => {
  const made = await bench.call("POST", "/api/workflows/create", {
    ...{ name: "x", edges: [], nodes: [transform("ok"), transform("bad", "const a = ;\nreturn a;")] },
  });
  expect(made).toMatchObject({
    error_code: "INVALID_WORKFLOW_SCHEMA",
    details: [{ path: "nodes[1].config.script", message: expect.stringMatching(/^line 1: /) }],
  });
});

test("an error of a script has the author's own line", async () => {
  const document = { nodes: [transform("a", "const n = 1;\nconst m = 2;\nthrow new Error('kaput');")] };
  const answer = await bench.run("motte", document, 1);
  const error = answer["error"] as { readonly details: { readonly stack: string } };
  expect(JSON.stringify(error)).toContain("kaput");
  expect(error.details.stack).toMatch(/nodes\/a_1\.ts:3:/);
});

test("an expression that takes long is stopped with its run", async () => {
  const document = { nodes: [transform("a", "let n = 0; for (;;) n++;")] };
  const answer = await bench.run("motte", document, 1);
  expect(answer["error"]).toMatchObject({ code: "workflow_cpu_exceeded" });
});

test("what a model says is never looked at again for templates", async () => {
  bench.stub.always((body) => ({
    content: JSON.stringify(body).includes("first") ? "{{input}} <a.output> {{nodes}}" : "second",
  }));
  const document = {
    blocks: [
      { id: "s", type: "starter", config: {} },
      { id: "a", type: "agent", config: { model: "m", input: "first" } },
      { id: "out", type: "response", config: { output: "said: <a.output>" } },
    ],
    edges: [
      { source: "s", target: "a" },
      { source: "a", target: "out" },
    ],
  };
  const answer = await bench.run("powabase", document, { x: 1 });
  expect(answer["output"]).toBe("said: {{input}} <a.output> {{nodes}}");
});

test("a graph that is read twice is the same", () => {
  const { graph } = parseGraph({ dialect: "motte", document: { nodes: [transform("a")], edges: [] } });
  expect(compileGraph(graph)).toEqual(compileGraph(structuredClone(graph)));
});
