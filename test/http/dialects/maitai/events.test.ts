import { afterAll, beforeAll, expect, test } from "vitest";
import { toExecId } from "../../../../src/http/ids.ts";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

type Json = Readonly<Record<string, unknown>>;

async function json(response: Response): Promise<Json> {
  return (await response.json()) as Json;
}

const dataOf = async (response: Response) => (await json(response))["data"] as Json;
const errorOf = async (response: Response) => (await json(response))["error"] as Json;

/** Starts a run in the background; resolves to its id once it waits. */
async function waiter(ref: string, body: string): Promise<string> {
  await service.deploy(ref, `export async function execute(ctx) { ${body} }`);
  const { id } = await json(await service.invoke(ref, { input: {}, background: true }));
  return until(async () => {
    const run = await dataOf(await service.send(`/api/v1/runs/${id}`));
    return run["status"] === "waiting" ? String(id) : null;
  });
}

const ended = (id: string) =>
  until(async () => {
    const run = await dataOf(await service.send(`/api/v1/runs/${id}`));
    return run["status"] === "completed" ? run : null;
  });

test("an event for the account reaches the runs that wait, and the run object says what it waits for", async () => {
  const id = await waiter(
    "pair",
    `const nap = ctx.sleep("2h");
    const paid = await Promise.race([nap, ctx.waitFor("paid", { match: { "order.id": 7 }, timeout: "1h" })]);
    return paid.data.order.id;`,
  );
  const run = await dataOf(await service.send(`/api/v1/runs/${id}`));
  expect(run["waiting_for"]).toEqual([
    { kind: "event", name: "paid", since: expect.any(Number), until: expect.any(Number) },
    { kind: "sleep", name: null, since: expect.any(Number), until: expect.any(Number) },
  ]);
  const event = { name: "paid", data: { order: { id: 7 } }, id: "mine" };
  const sent = await service.post("/api/v1/events", event);
  expect(sent.status).toBe(200);
  expect(await dataOf(sent)).toEqual({
    id: "mine",
    object: "event",
    at: expect.any(Number),
    reached: 1,
    repeated: false,
  });
  expect(await dataOf(await service.post("/api/v1/events", event))).toMatchObject({ reached: 1, repeated: true });
  expect((await service.post("/api/v1/events", { ...event, data: 8 })).status).toBe(409);
  expect(await ended(id)).toMatchObject({ output: 7, waiting_for: [] });
});

test("an event for one run is kept for it, by either route", async () => {
  const id = await waiter("kept", `await ctx.waitFor("first"); return (await ctx.waitFor("second")).data;`);
  const kept = await service.post(`/api/v1/runs/${id}/events`, { name: "second", data: 2 });
  expect(await dataOf(kept)).toMatchObject({ reached: 0 });
  expect(await dataOf(await service.post("/api/v1/events", { name: "first", execution_id: id }))).toMatchObject({
    reached: 1,
  });
  expect(await ended(id)).toMatchObject({ output: 2 });
  const late = await service.post(`/api/v1/runs/${id}/events`, { name: "second" });
  expect(late.status).toBe(409);
});

test("an event may be kept for runs that wait later", async () => {
  await service.post("/api/v1/events", { name: "early", data: 1, ttl_seconds: 60 });
  await service.deploy("later", `export const execute = async (ctx) => (await ctx.waitFor("early")).data;`);
  expect(await json(await service.invoke("later"))).toMatchObject({ output: 1 });
});

test("what is wrong is named", async () => {
  const refused = async (body: Json) => {
    const response = await service.post("/api/v1/events", body);
    return [response.status, (await errorOf(response))["message"]];
  };
  expect(await refused({})).toEqual([400, "name: is required"]);
  expect(await refused({ name: "" })).toEqual([400, "name: must not be empty"]);
  expect(await refused({ name: "x", more: 1 })).toEqual([400, "more: there is no such field"]);
  expect(await refused({ name: "x", ttl_seconds: -1 })).toEqual([400, "ttl_seconds: must be >= 0, got -1"]);
  expect(await refused({ name: "x", data: "y".repeat(300_000) })).toEqual([
    413,
    "data: 300002 bytes, over 262144 (maxEventBytes)",
  ]);
  const nobody = toExecId("00000000-0000-4000-8000-000000000000");
  expect(await refused({ name: "x", execution_id: nobody })).toEqual([404, `Execution not found: ${nobody}`]);
  expect(await refused({ name: "x", execution_id: "nope" })).toEqual([404, "Execution not found: nope"]);
  expect((await service.post("/api/v1/runs/nope/events", { name: "x" })).status).toBe(404);
  const url = `${service.url}/api/v1/events`;
  expect((await fetch(url, { method: "POST", body: "{}" })).status).toBe(401);
});
