import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inspectGraph } from "../../src/graph/parse-graph.ts";
import { until } from "../support/until.ts";
import { type GraphBench, startGraphBench } from "./run-graph.ts";

type Json = Readonly<Record<string, unknown>>;

let bench: GraphBench;
let web: Server;
let webUrl = "";
let asked: { readonly url: string; readonly headers: Json; readonly body: string }[] = [];

beforeAll(async () => {
  bench = await startGraphBench();
  web = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += String(piece);
    asked.push({ url: request.url ?? "", headers: request.headers, body });
    const status = request.url?.startsWith("/busy") === true && asked.length < 3 ? 503 : 200;
    response.writeHead(status, { "content-type": "application/json", "retry-after": "0" });
    response.end(request.url?.startsWith("/text") === true ? "plain" : '{"ok":true}');
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  webUrl = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
  bench.stub.always({});
  bench.stub.resetOpen();
});
afterAll(async () => {
  web.close();
  await bench.close();
});

const transform = (id: string, script: string, more: Json = {}) => ({
  id,
  type: "transform",
  config: { script, ...more },
});
const llm = (id: string, prompt: string, more: Json = {}) => ({
  id,
  type: "llm_agent",
  config: { model: "m", prompt, ...more },
});
const motte = (nodes: readonly object[], edges: readonly object[] = [], settings: Json = {}) => ({
  nodes,
  edges,
  settings,
});
const run = async (document: object, input: unknown = {}, more: Json = {}) => {
  const answer = await bench.run("motte", document, input, more);
  return answer["output"] ?? answer;
};

describe("parallel nodes", () => {
  test("run nodes of the graph as their branches; edges from these are edges of the parallel node", async () => {
    const document = motte(
      [
        { id: "p", type: "parallel", config: { branches: ["a", "b"] } },
        transform("a", "1"),
        transform("b", "2"),
        transform("after", "[nodes.a, nodes.b, nodes.p]"),
      ],
      [{ from: "a", to: "after" }],
    );
    expect(await run(document)).toEqual({ p: { a: 1, b: 2 }, after: [1, 2, { a: 1, b: 2 }] });
  });

  test("run parts of graphs, whose nodes see each other and those outside", async () => {
    const branch = {
      id: "part",
      nodes: [transform("x", "nodes.before + 1"), transform("y", "nodes.x * 10")],
      edges: [{ from: "x", to: "y" }],
    };
    const document = motte(
      [transform("before", "4"), { id: "p", type: "parallel", config: { branches: [branch] } }],
      [{ from: "before", to: "p" }],
    );
    expect(await run(document)).toEqual({ before: 4, p: { part: 50 } });
  });

  test("fail with a branch, or go on with its error", async () => {
    const branches = [transform("bad", "throw new Error('no')"), transform("good", "'yes'")];
    const node = (config: Json) => motte([{ id: "p", type: "parallel", config: { branches, ...config } }]);
    expect(await run(node({}))).toMatchObject({ error: { details: { node_id: "p/bad/bad" } } });
    expect(await run(node({ on_error: "continue" }))).toEqual({
      p: { bad: { error: { message: "Node p/bad/bad failed: no" } }, good: "yes" },
    });
  });

  test("share the limit of the run, and one place is enough", async () => {
    bench.stub.always({ delayMs: 50, content: "x" });
    const branches = Array.from({ length: 4 }, (_, i) => ({ ...llm("x", `b${i}`), id: `b${i}` }));
    const nodes = [{ id: "p", type: "parallel", config: { branches } }, llm("q", "one"), llm("r", "two")];
    await run(motte(nodes, [], { parallel_limit: 2 }));
    expect(bench.stub.mostOpen()).toBe(2);
    bench.stub.resetOpen();
    expect(await run(motte(nodes.slice(0, 1), [], { parallel_limit: 1 }))).toMatchObject({
      p: { b3: { response: "x" } },
    });
    expect(bench.stub.mostOpen()).toBe(1);
  });
});

describe("failures", () => {
  const failing = transform("bad", "throw new Error('broken')");

  test("take the error edge, and are handled by it", async () => {
    const document = motte(
      [failing, transform("handled", "nodes.bad.error.message"), transform("normal", "1")],
      [
        { from: "bad", to: "handled", condition: "error" },
        { from: "bad", to: "normal" },
      ],
    );
    expect(await run(document)).toEqual({ handled: "broken" });
  });

  test("become a value where a node says so", async () => {
    const document = motte(
      [
        { ...failing, config: { ...failing.config, on_error: "continue" } },
        transform("after", "nodes.bad.error.message"),
      ],
      [{ from: "bad", to: "after" }],
    );
    expect(await run(document)).toEqual({ bad: { error: { message: "broken" } }, after: "broken" });
  });

  test("of services are tried again as they ask, and those of a node's own settings count", async () => {
    const api = { id: "a", type: "api_call", config: { method: "GET", url: `${webUrl}/busy`, retry_attempts: 2 } };
    expect(await run(motte([api]))).toMatchObject({ a: { status: 200, data: { ok: true } } });
    expect(asked).toHaveLength(3);
  });

  test("a node that takes too long fails alone", async () => {
    bench.stub.always({ delayMs: 20_000 });
    const document = motte([llm("slow", "x", { timeout: 0.2, on_error: "continue" }), transform("other", "1")]);
    expect(await run(document)).toMatchObject({
      other: 1,
      slow: { error: { message: expect.stringMatching(/200 ms/) } },
    });
  });

  test("a value that is no JSON fails its node", async () => {
    const answer = await run(motte([transform("a", "() => 1")]));
    expect(answer).toMatchObject({ error: { message: expect.stringContaining("cannot be written as JSON") } });
  });
});

describe("services, workflows, people, time", () => {
  test("a request has headers, query and body, and secrets that are stored nowhere", async () => {
    const config = {
      method: "POST",
      url: `${webUrl}/x?a=1`,
      headers: { authorization: "Bearer {{secrets.TOKEN}}" },
      params: { q: "{{input.q}}" },
      body: { said: "{{input.q}}", n: 1 },
    };
    const more = { secrets: { TOKEN: "very-secret-token" } };
    expect(await run(motte([{ id: "a", type: "api_call", config }]), { q: "a b" }, more)).toMatchObject({
      a: { status: 200, data: { ok: true }, headers: { "content-type": "application/json" } },
    });
    expect(asked).toMatchObject([
      { url: "/x?a=1&q=a%20b", headers: { authorization: "Bearer very-secret-token" }, body: '{"said":"a b","n":1}' },
    ]);
  });

  test("a status from 400 on is a failure, unless a node says it is not", async () => {
    bench.stub.always({});
    const gone = { method: "GET", url: `${bench.server.url}/nowhere` };
    const node = (config: Json) => motte([{ id: "a", type: "api_call", config: { ...gone, ...config } }]);
    expect(await run(node({}))).toMatchObject({ error: { message: expect.stringContaining("answered 404") } });
    expect(await run(node({ fail_on_status: false }))).toMatchObject({ a: { status: 404 } });
  });

  test("a workflow is called with its own input", async () => {
    const script = "export const execute = async (ctx) => ({ got: ctx.input });";
    await bench.call("POST", "/api/v1/workflows/upload", { workflow_ref_name: "callee", script });
    const node = { id: "w", type: "workflow", config: { workflow: "callee", input: { n: "{{input.n}}" } } };
    expect(await run(motte([node]), { n: 7 })).toEqual({ w: { got: { n: 7 } } });
  });

  test("a person is asked, and the answer chooses the way", async () => {
    const document = motte(
      [
        { id: "ask", type: "approval", config: { title: "Really {{input.what}}?" } },
        transform("yes", "'done'"),
        transform("no", "'not done'"),
      ],
      [
        { from: "ask", to: "yes", condition: "approved" },
        { from: "ask", to: "no", condition: "rejected" },
      ],
    );
    const answered = run(document, { what: "delete" });
    const open = async () => ((await bench.call("GET", "/api/v1/approvals"))["data"] as readonly Json[])[0] ?? null;
    const question = await until(open);
    expect(question).toMatchObject({ title: "Really delete?" });
    await bench.call("POST", `/api/v1/approvals/${String(question["id"])}`, { approved: false });
    expect(await answered).toMatchObject({ no: "not done", ask: { approved: false } });
  });

  test("a delay waits, and passes on what it gets", async () => {
    const document = motte(
      [transform("a", "5"), { id: "d", type: "delay", config: { duration: "50ms" } }],
      [{ from: "a", to: "d" }],
    );
    expect(await run(document)).toEqual({ a: 5, d: 5 });
  });
});

describe("blocks of Powabase", () => {
  const block = (id: string, type: string, config: Json = {}) => ({ id, type, config });
  const blocks = async (list: readonly object[], edges: readonly object[], input: Json = {}) => {
    const answer = await bench.run("powabase", { blocks: list, edges }, input);
    return answer["output"] ?? answer;
  };

  test("a failure of the network is a value, and so is a bad status", async () => {
    const api = (url: string) => [
      block("a", "general_api", { url, headers: [{ cells: { Key: "x-a", Value: "1" } }], timeout: 5_000 }),
      block("out", "response", { output: { status: "<a.status_code>", error: "<a.error>", body: "<a.output>" } }),
    ];
    const edges = [{ source: "a", target: "out" }];
    expect(await blocks(api(`${webUrl}/text`), edges)).toEqual({ status: 200, error: "<a.error>", body: "plain" });
    expect(asked[0]?.headers["x-a"]).toBe("1");
    expect(await blocks(api("http://127.0.0.1:1/"), edges)).toMatchObject({ error: expect.any(String), body: null });
  });

  test("code assigns to output or result, and sees the blocks before it by name", async () => {
    const list = [
      block("first-block", "starter"),
      block("c", "code", { code: "const n = first_block.output.n;\nresult = input_data['first-block'].output.n + n;" }),
      block("out", "response", { output: "<c.output>" }),
    ];
    const edges = [
      { source: "first-block", target: "c" },
      { source: "c", target: "out" },
    ];
    expect(await blocks(list, edges, { n: 4 })).toBe(8);
  });

  test("texts that look like numbers are numbers, and what cannot be tested is false", async () => {
    const list = (expression: string) => [
      block("s", "starter"),
      block("c", "condition", { branches: [{ expression }] }),
      block("out", "response", { output: "<c.output.route>" }),
      block("r", "response", { output: "<c.route>" }),
    ];
    const edges = [
      { source: "s", target: "c" },
      { source: "c", target: "r" },
    ];
    const route = async (expression: string) =>
      blocks(
        list(expression).filter(({ id }) => id !== "out"),
        edges,
        { n: "10" },
      );
    expect(await route('<s.output.n> < "9"')).toBe("else");
    expect(await route("<s.output.n> == 10 and not (<s.output.x> == 1)")).toBe("if");
    expect(await route("<nobody.output.n> > 1")).toBe("else");
  });

  test("what is switched off passes on what it gets", async () => {
    const list = [
      block("s", "starter"),
      { ...block("c", "code", { code: "output = 'never'" }), enabled: false },
      block("out", "response"),
    ];
    const edges = [
      { source: "s", target: "c" },
      { source: "c", target: "out" },
    ];
    expect(await blocks(list, edges, { n: 1 })).toEqual({ n: 1 });
  });
});

test("a node that nothing leads to runs, and is told of as a warning", () => {
  const { problems } = inspectGraph({ dialect: "motte", document: motte([transform("a", "1"), transform("b", "2")]) });
  expect(problems.warnings.map(({ path }) => path)).toEqual(["nodes[0]", "nodes[1]"]);
});

test("env of the workflow can be named", async () => {
  await bench.call("POST", "/api/workflows/create", {
    name: "with env",
    nodes: [transform("a", "env.REGION"), llm("b", "{{env.REGION}}")],
    edges: [],
  });
  await bench.call("PUT", "/api/v1/workflows/with-env", { env: { REGION: "eu" } });
  bench.stub.always({ content: "ok" });
  const answer = await bench.call("POST", "/workflow/chat/completions", { model: "workflow:with-env", input: {} });
  expect(answer["output"]).toMatchObject({ a: "eu" });
  expect(bench.stub.calls.at(-1)?.body["messages"]).toEqual([{ role: "user", content: "eu" }]);
});

test("a chain of 500 nodes runs without recursion", async () => {
  const nodes = Array.from({ length: 500 }, (_, i) => ({ id: `n${i}`, type: "pass", config: {} }));
  const edges = nodes.slice(1).map(({ id }, i) => ({ from: `n${i}`, to: id }));
  const output = (await run(motte(nodes, edges), "x")) as Json;
  expect(Object.keys(output)).toHaveLength(500);
});
