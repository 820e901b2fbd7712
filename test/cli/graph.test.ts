import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DIFY } from "../graph/import/exports.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type Captured, weft } from "./capture.ts";

const FLOW = {
  name: "Doubles",
  nodes: [{ id: "a", type: "transform", config: { script: "({ doubled: input.n * 2 })" } }],
  edges: [],
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const file = (name: string, text: string) => writeFile(join(server.dataDir, name), text);
  await file("flow.json", JSON.stringify(FLOW));
  await file("broken.json", JSON.stringify({ ...FLOW, nodes: [{ id: "a", type: "transform", config: {} }] }));
  await file("app.yml", DIFY);
});
afterAll(() => server.close());

const run = (...args: readonly string[]): Promise<Captured> =>
  weft(args, { cwd: server.dataDir, env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey } });

test("graphs are checked, saved, listed, run and ejected", async () => {
  expect(await run("graph")).toMatchObject({ code: 0, err: expect.stringContaining("There are no graphs yet") });
  expect(await run("graph", "check", "broken.json")).toMatchObject({
    ...{ code: 1, out: expect.stringContaining("nodes[0].config.script: is required") },
  });
  expect((await run("graph", "check", "flow.json")).out).toContain("flow.json is valid");
  expect((await run("graph", "save", "flow.json")).out).toMatch(/doubles 1\.0 \(wf_[0-9a-f]{32}\)/);
  expect(await run("graph", "save", "broken.json", "--to", "doubles")).toMatchObject({
    ...{ code: 1, err: expect.stringContaining("nodes[0].config.script") },
  });
  await writeFile(join(server.dataDir, "flow.json"), JSON.stringify(FLOW).replace("* 2", "* 3"));
  expect((await run("graph", "save", "flow.json", "--to", "doubles")).out).toContain("doubles 1.1");
  expect((await run("graph", "list")).out).toMatch(/doubles\s+1\.1\s+1\s+0\s+Doubles/);
  const ran = await run("graph", "run", "doubles", "--input", '{"n":2}');
  expect(JSON.parse(ran.out)).toEqual({ a: { doubled: 6 } });
  expect(ran.err).toMatch(/a\s+completed/);
  expect((await run("graph", "eject", "doubles")).out).toContain('from "weft/graph"');
  expect((await run("graph", "eject", "doubles", "--out", "ejected")).out).toContain("2 files in ejected");
  expect(await readFile(join(server.dataDir, "ejected", "graph.ts"), "utf8")).toContain("defineGraph");
  expect((await run("graph", "eject", "doubles", "--out", "ejected")).code).toBe(2);
});

test("what a graph is ejected to is a workflow that does the same", async () => {
  await run("graph", "save", "flow.json", "--name", "again");
  await run("graph", "eject", "again", "--out", "again");
  const files = ["again/graph.ts", "again/nodes/a_1.ts"];
  const deployed = await run("deploy", ...files, "--ref", "again-script");
  expect(deployed).toMatchObject({ code: 0 });
  const answer = await run("run", "again-script", "--input", '{"n":5}', "--json");
  expect(JSON.parse(answer.out)).toMatchObject({ output: { a: { doubled: 15 } } });
});

test("templates are listed, shown and used", async () => {
  expect((await run("templates")).out).toContain("tmpl_support_triage");
  expect(JSON.parse((await run("templates", "show", "tmpl_rag_answer")).out)).toMatchObject({
    nodes: expect.any(Array),
  });
  expect((await run("templates", "use", "tmpl_support_triage", "--name", "Triage")).out).toContain("triage");
  expect((await run("templates", "use", "tmpl_nothing")).code).toBe(4);
});

test("exports of other products are taken over, and what is not is named", async () => {
  const imported = await run("import", "app.yml", "--out", "app.json", "--save");
  expect(imported).toMatchObject({ code: 0, err: expect.stringContaining("! Extract (parameter-extractor)") });
  expect(imported.out).toContain("answerer: 6 nodes from dify");
  expect((await run("graph", "check", "app.json")).code).toBe(0);
  expect((await run("import", "flow.json")).err).toContain("could be recognised");
  expect((await run("import", "missing.json")).err).toContain("missing.json cannot be read");
  expect((await run("import", "app.yml", "--from", "zapier")).code).toBe(2);
});
