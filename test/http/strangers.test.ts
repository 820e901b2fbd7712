import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../runtime/index.ts";
import type { Caller } from "../../src/engine/types.ts";
import { createApp, type HttpApp } from "../../src/http/app.ts";
import { toExecId } from "../../src/http/ids.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { testKey, UNLIMITED } from "../support/keys.ts";
import { until } from "../support/until.ts";

type Json = Readonly<Record<string, unknown>>;

const REF = "mine";
const SCRIPT = `export const execute = (ctx) => ctx.approve({ title: "Private?" });`;

let core: TestCore;
let app: HttpApp;
let url: string;
/** Who calls, by what the key says. */
let caller: Caller;
let ids: Readonly<Record<string, string>>;

const as = (id: string): Caller => ({
  ...{ id, name: id, owner: false, suspended: false, limits: UNLIMITED },
  key: testKey("test"),
});

async function send(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
  const text = body === undefined ? null : JSON.stringify(body);
  const type = text === null ? {} : { "content-type": "application/json" };
  const headers = { authorization: "Bearer test", ...type };
  const response = await fetch(`${url}${path}`, { method, headers, ...(text === null ? {} : { body: text }) });
  return { status: response.status, body: (await response.json()) as Json };
}

async function make(path: string, body: unknown): Promise<string> {
  const answer = await send("POST", path, body);
  return String(((answer.body["data"] ?? {}) as Json)["id"]);
}

beforeAll(async () => {
  core = await startTestCore();
  caller = as(core.accountId);
  app = await createApp({
    services: core.services,
    accountOfKey: () => caller,
    limits: DEFAULT_LIMITS,
    ready: () => true,
    version: "0.0.0",
    report: (error) => expect(error).toBeUndefined(),
  });
  url = await app.listen({ host: "127.0.0.1", port: 0 });
  await core.deploy(REF, SCRIPT);
  const webhook = await make("/api/v1/webhooks", { url: "https://weft.example/", events: ["execution.waiting"] });
  const file = await make("/api/v1/files/upload-url", { name: "private.txt", bytes: 7 });
  const schedule = await make("/api/v1/schedules", { workflow: REF, cron: "@yearly" });
  await send("PUT", `/api/v1/agents/${REF}`, {});
  const signal = new AbortController().signal;
  const stored = await core.datastores.create({ accountId: core.accountId, name: "private", definition: {} });
  const staged = await core.datastores.stage({ accountId: core.accountId, body: Readable.from([]), length: 0, signal });
  const begun = { accountId: core.accountId, key: "private", format: "csv", options: {}, definition: null } as const;
  const imported = await core.datastores.addImport(staged, { ...begun, creates: false });
  const document = { nodes: [], edges: [] };
  const graph = await core.graphs.create({ accountId: core.accountId, name: "secret", dialect: "motte", document });
  const { executionId } = await core.invoke(REF, { input: {}, mode: "background" });
  const first = async (path: string): Promise<string> => {
    const rows = async () => ((await send("GET", path)).body as { readonly data: readonly Json[] }).data;
    return String((await until(rows, ({ length }) => length > 0))[0]?.["id"]);
  };
  const approval = await first("/api/v1/approvals");
  ids = {
    webhook,
    schedule,
    file,
    approval,
    run: toExecId(executionId),
    graph: graph.workflow.id,
    datastore: stored.id,
    import: imported.id,
    delivery: await first("/api/v1/webhook-deliveries"),
  };
});
afterAll(async () => {
  await app.close();
  await core.close();
});

type Operation = readonly [method: string, path: string, body?: Json];
/** Every operation on something named, with a body that its owner could send. */
const OPERATIONS: readonly Operation[] = [
  ["GET", "/api/v1/approvals/:approval"],
  ["POST", "/api/v1/approvals/:approval", { approved: true }],
  ["POST", "/api/v1/events", { name: "x", execution_id: ":run" }],
  ["GET", "/api/v1/files/:file"],
  ["DELETE", "/api/v1/files/:file"],
  ["GET", "/api/v1/files/:file/content"],
  ["POST", "/api/v1/files/:file/url", {}],
  ["GET", "/v1/files/:file/status"],
  ["GET", "/api/v1/graphs/:graph/script"],
  ["PUT", "/api/v1/graphs/:graph", { document: { nodes: [] } }],
  ["GET", "/v1/app/:graph"],
  ["GET", "/v1/workflows/:run"],
  ["POST", "/v1/workflows/run", { app_id: ":graph", inputs: {} }],
  ["POST", "/v1/workflows/presigned-url", { job_id: ":run", step_id: "x" }],
  ["POST", "/api/v1/workflows/:graph/execute", {}],
  ["POST", "/api/v1/workflows/:graph/rating", { rating: 3 }],
  ["GET", "/api/v1/workflows/:graph/executions"],
  ["GET", "/api/v1/executions/:run"],
  ["POST", "/api/workflows/execute", { workflow_id: ":graph", input: 1 }],
  ["GET", "/api/workflows/executions/:run"],
  ["PUT", "/api/workflows/:graph", { name: "x" }],
  ["GET", "/api/workflows/:graph"],
  ["PATCH", "/api/workflows/:graph", { name: "x" }],
  ["DELETE", "/api/workflows/:graph"],
  ["PUT", "/api/workflows/:graph/graph", { blocks: [], edges: [] }],
  ["POST", "/api/workflows/:graph/deploy"],
  ["POST", "/api/workflows/:graph/undeploy"],
  ["POST", "/api/workflows/:graph/arm"],
  ["POST", "/api/workflows/:graph/execute", {}],
  ["POST", "/api/workflows/:graph/execute/stream", {}],
  ["GET", "/api/workflows/:graph/executions"],
  ["GET", "/api/workflows/:graph/executions/:run/logs"],
  ["GET", "/api/v1/runs/:run/files"],
  ["GET", "/api/v1/runs/:run"],
  ["DELETE", "/api/v1/runs/:run"],
  ["POST", "/api/v1/runs/:run/budget", { add: { calls: 1 } }],
  ["POST", "/api/v1/runs/:run/cancel"],
  ["GET", "/api/v1/runs/:run/chunks"],
  ["GET", "/api/v1/runs/:run/events"],
  ["POST", "/api/v1/runs/:run/events", { name: "x" }],
  ["POST", "/api/v1/runs/:run/fork", {}],
  ["GET", "/api/v1/runs/:run/logs"],
  ["GET", "/api/v1/runs/:run/recording"],
  ["POST", "/api/v1/runs/:run/resume"],
  ["GET", "/api/v1/runs/:run/stream"],
  ["GET", "/api/v1/runs/:run/trace"],
  ["GET", "/api/v1/schedules/:schedule"],
  ["PATCH", "/api/v1/schedules/:schedule", { cron: "@daily" }],
  ["DELETE", "/api/v1/schedules/:schedule"],
  ["POST", "/api/v1/schedules/:schedule/pause"],
  ["POST", "/api/v1/schedules/:schedule/resume"],
  ["POST", "/api/v1/schedules/:schedule/run"],
  ["GET", "/api/v1/schedules/:schedule/runs"],
  ["POST", "/api/v1/schedules", { workflow: REF, cron: "@daily", name: "other" }],
  ["GET", `/api/v1/schedules?workflow=${REF}`],
  ["GET", "/api/v1/webhook-deliveries/:delivery"],
  ["POST", "/api/v1/webhook-deliveries/:delivery/replay"],
  ["GET", "/api/v1/webhooks/:webhook"],
  ["PATCH", "/api/v1/webhooks/:webhook", { enabled: false }],
  ["DELETE", "/api/v1/webhooks/:webhook"],
  ["POST", "/api/v1/webhooks/:webhook/rotate"],
  ["POST", "/api/v1/webhooks", { url: "https://weft.example/", workflows: [REF] }],
  ["GET", `/api/v1/agents/${REF}`],
  ["DELETE", `/api/v1/agents/${REF}`],
  ["GET", `/api/v1/agents/${REF}/versions`],
  ["POST", `/api/v1/agents/${REF}/versions/1/activate`],
  ["GET", `/agent/models/${REF}`],
  ["POST", "/agent/chat/completions", { model: REF, messages: [{ role: "user", content: "x" }] }],
  ["GET", `/api/v1/runs?workflow=${REF}`],
  ["GET", `/api/v1/workflows/${REF}`],
  ["DELETE", `/api/v1/workflows/${REF}`],
  ["POST", `/api/v1/workflows/${REF}/check`, { code: SCRIPT }],
  ["GET", `/api/v1/workflows/${REF}/runs`],
  ["GET", `/api/v1/workflows/${REF}/versions`],
  ["POST", `/api/v1/workflows/${REF}/versions/1.0.0/activate`],
  ["POST", "/workflow/chat/completions", { model: `workflow:${REF}`, input: {} }],
];

/** A datastore by its id and by its name. */
const OF_DATASTORES: readonly Operation[] = [":datastore", "private"].flatMap((name): readonly Operation[] => [
  ["GET", `/api/v1/datastores/${name}`],
  ["POST", `/api/v1/datastores/${name}/import?format=csv`, {}],
  ["GET", `/api/v1/datastores/${name}/imports`],
  ["GET", `/api/v1/datastores/${name}/imports/:import`],
  ["DELETE", `/api/v1/datastores/${name}/imports/:import`],
  ["GET", `/api/v1/datastores/${name}/records`],
  ["POST", `/api/v1/datastores/${name}/records`, { id: "1" }],
  ["POST", `/api/v1/datastores/${name}/records/get`, { ids: ["1"] }],
  ["POST", `/api/v1/datastores/${name}/records/delete`, { ids: ["1"] }],
  ["GET", `/api/v1/datastores/${name}/records/1`],
  ["DELETE", `/api/v1/datastores/${name}/records/1`],
  ["POST", `/api/v1/datastores/${name}/search`, { query: "x" }],
  ["POST", `/api/v1/datastores/${name}/query`, { sql: "SELECT 1" }],
  ["POST", `/api/v1/datastores/${name}/count`, {}],
  ["GET", `/api/v1/datastores/${name}/download`],
  ["DELETE", `/api/v1/datastores/${name}`],
]);

const named = (text: string) =>
  text.replaceAll(
    /:(run|schedule|webhook|delivery|approval|file|datastore|import|graph)\b/g,
    (_, what) => ids[what] ?? "",
  );

const NAMES = [...OPERATIONS, ...OF_DATASTORES].map(([method, path, body]) => ({ method, path, body }));

test.each(NAMES)("$method $path is 404 for another account", async ({ method, path, body }) => {
  caller = as("a stranger");
  const sent = body === undefined ? undefined : JSON.parse(named(JSON.stringify(body)));
  const answer = await send(method, named(path), sent);
  // Each dialect has its own word for it.
  const member = path.startsWith("/v1/") ? "detail" : "error";
  expect([answer.status, answer.body]).toEqual([404, expect.objectContaining({ [member]: expect.anything() })]);
});

const LISTS = [
  "agents",
  "approvals",
  "datastores",
  "files",
  "runs",
  "schedules",
  "webhooks",
  "webhook-deliveries",
  "workflows",
];

test("lists of another account are empty, whatever they are filtered by", async () => {
  caller = as("a stranger");
  const filters = [`webhook-deliveries?run=${ids["run"]}`, `webhook-deliveries?webhook=${ids["webhook"]}`];
  for (const list of [...LISTS, ...filters, `runs?parent_run=${ids["run"]}`])
    expect([list, (await send("GET", `/api/v1/${list}`)).body["data"]]).toEqual([list, []]);
});

test("other lists of another account are empty as well", async () => {
  caller = as("a stranger");
  expect((await send("GET", "/api/v1/budgets")).body["data"]).toMatchObject({ account: null, keys: {} });
  expect((await send("GET", "/api/v1/graphs")).body["data"]).toEqual([]);
  expect((await send("GET", "/api/workflows")).body).toMatchObject({ workflows: [], total: 0 });
  expect((await send("GET", "/v1/app/list")).body).toEqual({ data: [] });
  expect((await send("GET", "/api/v1/workflows?public=true")).body).toMatchObject({ workflows: [], total: 0 });
  for (const path of ["/agent/models", "/agent/v1/models", "/v1/models", "/workflow/models"])
    expect([path, (await send("GET", path)).body["data"]]).toEqual([path, []]);
});

test("a file's content needs its owner's link, whoever's key comes with it", async () => {
  caller = as("a stranger");
  const answer = await send("GET", named("/v1/files/:file/content?expires=9999999999&sig=00"));
  expect(answer.status).toBe(403);
});

test("nothing of it has changed for its owner", async () => {
  caller = as(core.accountId);
  const { data } = (await send("GET", `/api/v1/runs/${ids["run"]}`)).body as { readonly data: Json };
  expect(data).toMatchObject({ status: "waiting" });
  expect((await send("GET", "/api/v1/workflows")).body["total"]).toBe(2);
  for (const list of ["agents", "approvals", "files", "runs", "schedules", "webhooks"])
    expect([list, ((await send("GET", `/api/v1/${list}`)).body["data"] as readonly Json[]).length]).toEqual([list, 1]);
});
