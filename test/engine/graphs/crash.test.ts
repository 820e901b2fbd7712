import { afterAll, beforeAll, expect, test } from "vitest";
import { type DataDir, makeDataDir } from "../../support/data-dir.ts";
import { type ModelStub, startModelStub } from "../../support/model-stub.ts";
import { type SpawnedServer, spawnTestServer, TEST_KEY } from "../../support/server.ts";

type Json = Readonly<Record<string, unknown>>;

let dir: DataDir;
let stub: ModelStub;
let server: SpawnedServer;

const start = () =>
  spawnTestServer(dir.path, { OPENAI_API_KEY: "key", OPENAI_BASE_URL: stub.url, WEFT_EXAMPLES: "off" });

beforeAll(async () => {
  dir = await makeDataDir();
  stub = await startModelStub();
  server = await start();
});
afterAll(async () => {
  await server.kill();
  await stub.close();
  await dir.remove();
});

async function call(method: string, path: string, body?: unknown): Promise<Json> {
  const headers = { authorization: `Bearer ${TEST_KEY}`, "content-type": "application/json" };
  const response = await fetch(server.url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Json;
}

const prompts = () => stub.calls.map(({ body }) => (body["messages"] as { content: string }[]).at(-1)?.content);

test("a graph goes on after a kill -9 of the server: what a node's model has answered is not paid again", async () => {
  let isBack = false;
  stub.always((body) =>
    JSON.stringify(body).includes("third") && !isBack ? { delayMs: 60_000 } : { content: "said" },
  );
  const llm = (id: string) => ({ id, type: "llm_agent", config: { model: "gpt-4", prompt: `the ${id}` } });
  const document = {
    nodes: [llm("first"), llm("second"), llm("third"), llm("fourth")],
    edges: ["first", "second", "third"].map((from, i) => ({ from, to: ["second", "third", "fourth"][i] })),
  };
  await call("POST", "/api/v1/graphs", { name: "crash", dialect: "motte", document });
  const begun = await call("POST", "/api/v1/workflows/crash/execute", { inputs: {}, async: true });
  await expect.poll(prompts, { timeout: 30_000 }).toEqual(["the first", "the second", "the third"]);
  await server.kill();
  isBack = true;
  server = await start();
  const read = () => call("GET", String(begun["status_url"]));
  await expect.poll(async () => (await read())["status"], { timeout: 60_000 }).toBe("completed");
  // The third call had no answer yet: it alone is made again.
  expect(prompts()).toEqual(["the first", "the second", "the third", "the third", "the fourth"]);
  const { node_results: nodes } = (await read()) as { readonly node_results: readonly Json[] };
  const ids = ["first", "second", "third", "fourth"];
  expect(nodes).toEqual(
    ids.map((id) => expect.objectContaining({ node_id: id, status: "completed", tokens_used: 15 })),
  );
});
