import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.deploy("report", "export const execute = (ctx) => ({ input: ctx.input, ...ctx.metadata.schedule });");
});
afterAll(() => service.close());

type Json = Readonly<Record<string, unknown>>;
const BASE = "/api/v1/schedules";
const read = async (response: Response) => ({ status: response.status, body: (await response.json()) as Json });
const get = async (path: string) => read(await service.send(path));
const post = async (path: string, body: unknown = {}) => read(await service.post(path, body));
const data = ({ body }: { readonly body: Json }) => body["data"] as Json;
const RULE = { workflow: "report", cron: "0 7 * * 1-5", timezone: "Europe/Berlin" };

test("a schedule is made, listed, shown with its next runs, changed, paused, resumed and deleted", async () => {
  const made = await post(BASE, { ...RULE, input: { n: 1 }, name: "daily", catch_up: "one", end_at: "2099-01-01" });
  expect(made.status).toBe(200);
  const { id, next_runs: next } = data(made) as { readonly id: string; readonly next_runs: readonly number[] };
  expect(id).toMatch(/^sched_[0-9a-f]{32}$/);
  expect(data(made)).toMatchObject({
    workflow_ref_name: "report",
    cron: RULE.cron,
    timezone: RULE.timezone,
    input: { n: 1 },
  });
  expect(data(made)).toMatchObject({
    name: "daily",
    catch_up: "one",
    overlap: "skip",
    origin: "api",
    paused: false,
    last_runs: [],
  });
  expect(data(made)).toMatchObject({ end_at: Date.parse("2099-01-01") / 1_000, skipped: 0, error: null });
  expect(next).toHaveLength(5);
  for (const at of next)
    expect(new Date(at * 1_000).toLocaleTimeString("en-GB", { timeZone: RULE.timezone })).toBe("07:00:00");
  const listed = await get(`${BASE}?workflow=report&limit=1`);
  expect(listed.body).toMatchObject({
    data: [{ id, next_run: next[0] }],
    pagination: { total: 1, limit: 1, offset: 0 },
  });
  const changed = await read(
    await service.send(`${BASE}/${id}`, {
      method: "PATCH",
      body: JSON.stringify({ cron: "@daily", overlap: "queue", end_at: null }),
      headers: { "content-type": "application/json" },
    }),
  );
  expect(data(changed)).toMatchObject({
    cron: "@daily",
    overlap: "queue",
    end_at: null,
    catch_up: "one",
    timezone: RULE.timezone,
  });
  expect(data(await post(`${BASE}/${id}/pause`))).toMatchObject({ paused: true, next_run: null, next_runs: [] });
  expect(data(await post(`${BASE}/${id}/resume`))).toMatchObject({ paused: false });
  expect(data(await get(`${BASE}/${id}`))["next_runs"]).toHaveLength(5);
  expect((await service.send(`${BASE}/${id}`, { method: "DELETE" })).status).toBe(200);
  expect((await get(`${BASE}/${id}`)).status).toBe(404);
});

test("one is run now, beside its slots, and its runs are linked", async () => {
  const { id } = data(await post(BASE, { ...RULE, name: "now", input: { n: 2 } })) as { readonly id: string };
  const run = await post(`${BASE}/${id}/run`);
  expect(run.status).toBe(202);
  const runId = data(run)["id"];
  const ended = await until(async () => {
    const found = data(await get(`/api/v1/runs/${runId}`));
    return found["status"] === "completed" ? found : null;
  });
  expect(ended["output"]).toMatchObject({ input: { n: 2 }, id, name: "now", manual: true });
  expect(data(await get(`${BASE}/${id}`))["last_runs"]).toMatchObject([{ id: runId, url: `/api/v1/runs/${runId}` }]);
  expect((await get(`${BASE}/${id}/runs`)).body).toMatchObject({ data: [{ id: runId, mode: "background" }] });
});

test("one is run once per idempotency key, which stands for nothing else", async () => {
  const { id } = data(await post(BASE, { ...RULE, name: "keyed", input: { n: 3 } })) as { readonly id: string };
  const other = data(await post(BASE, { ...RULE, name: "keyed too", input: { n: 3 } })) as { readonly id: string };
  const headers = { "idempotency-key": "run-once" };
  const run = async (scheduleId: string) => read(await service.post(`${BASE}/${scheduleId}/run`, {}, headers));
  const answers = await Promise.all([run(id), run(id), run(id)]);
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
  const ids = answers.map((answer) => data(answer)["id"]);
  expect(new Set(ids).size).toBe(1);
  expect(data(await run(id))["id"]).toBe(ids[0]);
  const runs = (await get(`${BASE}/${id}/runs`)).body["data"] as readonly Json[];
  expect(runs.map((one) => one["id"])).toEqual([ids[0]]);
  expect((await run(other.id)).status).toBe(409);
  expect((await service.invoke("report", { input: { n: 3 } }, headers)).status).toBe(409);
  const called = { "idempotency-key": "call-once" };
  await service.invoke("report", { input: { n: 3 } }, called);
  expect((await service.post(`${BASE}/${id}/run`, {}, called)).status).toBe(409);
  expect((await service.post(`${BASE}/${id}/run`, {}, { "idempotency-key": "k".repeat(256) })).status).toBe(400);
});

test("one that is due every second starts by itself", async () => {
  const { id } = data(await post(BASE, { workflow: "report", cron: "* * * * * *", name: "often" })) as {
    readonly id: string;
  };
  const runs = await until(async () => {
    const found = (await get(`${BASE}/${id}/runs`)).body["data"] as readonly Json[];
    return found.length >= 2 ? found : null;
  });
  expect(new Set(runs.map((run) => run["id"])).size).toBe(runs.length);
  await service.send(`${BASE}/${id}`, { method: "DELETE" });
});

describe("what is wrong is named with status 400", () => {
  test.each([
    [{ ...RULE, cron: "61 * * * *" }, "cron", "61 * * * *"],
    [{ ...RULE, cron: "every day" }, "cron", "every day"],
    [{ ...RULE, timezone: "Mars/Base" }, "timezone", "Mars/Base"],
    [{ ...RULE, end_at: "2020-01-01" }, "end_at", "2020-01-01"],
    [{ ...RULE, end_at: "tomorrow" }, "end_at", "tomorrow"],
    [{ ...RULE, cron: "0 0 30 2 *" }, "cron", "0 0 30 2 *"],
    [{ ...RULE, catch_up: "maybe" }, "catch_up", "skip"],
    [{ ...RULE, overlap: "maybe" }, "overlap", "queue"],
    [{ ...RULE, name: "a/b" }, "name", "name"],
    [{ ...RULE, every: "5m" }, "every", "every"],
    [{ workflow: "report" }, "cron", "cron"],
    [{ ...RULE, input: "x".repeat(300_000) }, "input", "262144"],
  ])("%j", async (body, param, text) => {
    const { status, body: answer } = await post(BASE, body);
    expect(status).toBe(400);
    expect(answer["error"]).toMatchObject({ param, message: expect.stringContaining(text) });
  });

  test("an unknown workflow and an unknown schedule are 404, a name twice is 409", async () => {
    expect((await post(BASE, { ...RULE, workflow: "nothing" })).status).toBe(404);
    expect((await get(`${BASE}?workflow=nothing`)).status).toBe(404);
    for (const path of ["", "/runs"]) expect((await get(`${BASE}/sched_0${path}`)).status).toBe(404);
    for (const action of ["pause", "resume", "run"]) expect((await post(`${BASE}/sched_0/${action}`)).status).toBe(404);
    await post(BASE, { ...RULE, name: "twice" });
    expect((await post(BASE, { ...RULE, name: "twice" })).status).toBe(409);
  });
});

test("a schedule of the script is shown and not changed over the API", async () => {
  await service.deploy("timed", `export const config = { schedule: "@hourly" }; export const execute = () => 1;`);
  const [found] = (await get(`${BASE}?workflow=timed`)).body["data"] as readonly Json[];
  expect(found).toMatchObject({ origin: "config", cron: "@hourly", name: "default" });
  const { status, body } = await read(await service.send(`${BASE}/${found?.["id"]}`, { method: "DELETE" }));
  expect(status).toBe(409);
  expect(JSON.stringify(body)).toContain("config.schedule");
});

test("another account sees none of them", async () => {
  const { id } = data(await post(BASE, { ...RULE, name: "mine" })) as { readonly id: string };
  const { schedules } = service;
  const key = { accountId: "other", scheduleId: id };
  await expect(schedules.run({ ...key, idempotencyKey: null })).rejects.toMatchObject({ code: "NOT_FOUND" });
  for (const action of ["find", "pause", "resume", "remove"] as const)
    await expect(schedules[action](key)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(schedules.runs({ ...key, limit: 1, offset: 0 })).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(schedules.update({ ...key, changes: {} })).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await schedules.list({ accountId: "other", ref: null, limit: 5, offset: 0 })).toEqual({ items: [], total: 0 });
  await expect(schedules.list({ accountId: "other", ref: "report", limit: 5, offset: 0 })).rejects.toMatchObject({
    code: "WORKFLOW_NOT_FOUND",
  });
});

test("nothing was reported as a bug", () => expect(service.reported).toEqual([]));
