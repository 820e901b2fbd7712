import { afterEach, expect, test } from "vitest";
import { makeDataDir } from "../support/data-dir.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { type SpawnedServer, spawnTestServer, TEST_KEY } from "../support/server.ts";
import { until } from "../support/until.ts";
import { readRun, upload } from "./client.ts";
import { startCountingHttp } from "./counting-http.ts";

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const ROUNDS = 10;
const KILLED_IN = 7;
const headers = { authorization: `Bearer ${TEST_KEY}`, "content-type": "application/json" };

async function send(
  server: SpawnedServer,
  path: string,
  method: string,
  body: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}${path}`, { method, headers, body: JSON.stringify(body) });
  return (await response.json()) as Record<string, unknown>;
}

/** How many tool messages a request had: round 1 has none. */
const roundOf = (body: ModelStub["calls"][number]["body"]) =>
  (body["messages"] as readonly { readonly role: string }[]).filter(({ role }) => role === "tool").length + 1;

test("a server killed in round 7 goes on in round 7: no finished call is made again", async () => {
  const dir = await makeDataDir();
  open.push({ close: dir.remove });
  const stub = await startModelStub();
  open.push(stub);
  const tool = await startCountingHttp(() => 0);
  open.push(tool);
  let isSlow = true;
  stub.always((body) => {
    const round = roundOf(body);
    const answer =
      round > ROUNDS ? { content: "done" } : { toolCalls: [{ name: "note", arguments: `{"id":"${round}"}` }] };
    return round === KILLED_IN && isSlow ? { ...answer, delayMs: 600_000 } : answer;
  });
  const start = async () => {
    const server = await spawnTestServer(dir.path, { OPENAI_API_KEY: "sk-crash-key-1", OPENAI_BASE_URL: stub.url });
    open.push({ close: () => server.kill() });
    return server;
  };

  const first = await start();
  const note = `export const execute = async (ctx) => (await ctx.http.post(${JSON.stringify(tool.url)}, { json: ctx.input })).json()`;
  await upload(first.url, { note });
  await send(first, "/api/v1/agents/noter", "PUT", { tools: [{ type: "workflow", ref: "note" }] });
  const body = { model: "noter", messages: [{ role: "user", content: "go" }], background: true };
  const { id } = await send(first, "/agent/chat/completions", "POST", body);
  await until(async () => stub.calls.some((call) => roundOf(call.body) === KILLED_IN));
  await first.kill();
  isSlow = false;

  const second = await start();
  const run = await until(async () => {
    const found = await readRun(second.url, String(id));
    return found["status"] === "running" || found["status"] === "queued" ? null : found;
  });
  expect(run).toMatchObject({ status: "completed", output: "done" });
  const rounds = stub.calls.map((call) => roundOf(call.body));
  expect(rounds).toEqual([1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11]);
  expect(tool.keys).toHaveLength(ROUNDS);
});
