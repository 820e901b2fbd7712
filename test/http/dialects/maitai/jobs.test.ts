import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService({ WEFT_MAX_JOBS: "3" });
  await service.deploy("echo", "export const execute = (ctx) => ctx.input;");
  await service.deploy("fails", `export const execute = () => { throw new Error("no luck"); };`);
  const rated = `export const config = { rateLimit: { limit: 1, period: "1h" } };`;
  await service.deploy("rated", `${rated}\nexport const execute = (ctx) => ctx.input;`);
  const bounced = `export const config = { debounce: { delay: "10m" } };`;
  await service.deploy("bounced", `${bounced}\nexport const execute = (ctx) => ctx.input;`);
});
afterAll(() => service.close());

type Json = Readonly<Record<string, unknown>>;
const bodyOf = async (response: Response) => (await response.json()) as Json;
const background = (ref: string, more: Json) => service.invoke(ref, { input: 1, background: true, ...more });
const cancel = (id: unknown) => service.send(`/api/v1/runs/${id}/cancel`, { method: "POST" });

describe("a background call", () => {
  test("takes a priority and a delay, and shows both", async () => {
    const response = await background("echo", { priority: 7, delay_seconds: 600 });
    expect(response.status).toBe(202);
    const run = await bodyOf(response);
    expect(run).toMatchObject({ status: "queued", priority: 7, attempts: 1, last_error: null });
    expect(Number(run["run_at"]) - Number(run["created_at"])).toBeCloseTo(600, 0);
    const shown = (await bodyOf(await service.send(`/api/v1/runs/${run["id"]}`)))["data"];
    expect(shown).toMatchObject({ priority: 7, run_at: run["run_at"], timings: { queued_ms: 0 } });
    await cancel(run["id"]);
  });

  test.each([
    ["2999-01-01T00:00:00Z", 400],
    ["2027-01-01", 400],
    ["soon", 400],
    [-1, 400],
    [1e300, 400],
    ["2001-01-01T00:00:00+02:00", 202],
    [1_000_000_000, 202],
  ])("with run_at %s is answered %i", async (run_at, status) => {
    const response = await background("echo", { run_at });
    expect(response.status).toBe(status);
    if (status === 400) expect(await bodyOf(response)).toMatchObject({ error: { param: "run_at" } });
  });

  test.each([
    [{ priority: 101 }, "priority"],
    [{ priority: 0.5 }, "priority"],
    [{ delay_seconds: -1 }, "delay_seconds"],
    [{ delay_seconds: 1, run_at: 1 }, "run_at"],
    [{ delay_seconds: 1, background: false }, "run_at"],
  ])("with %j is refused, naming the field", async (more, param) => {
    const response = await background("echo", more);
    expect(response.status).toBe(400);
    expect(await bodyOf(response)).toMatchObject({ error: { param } });
  });

  test("of a debounced workflow joins the one that waits", async () => {
    const first = await bodyOf(await background("bounced", {}));
    const second = await bodyOf(await background("bounced", { input: 2 }));
    expect(first["debounced"]).toBeUndefined();
    expect(second).toMatchObject({ id: first["id"], debounced: true });
    await cancel(first["id"]);
  });

  test("beyond those that may wait gets 429 with Retry-After", async () => {
    const runs: Json[] = [];
    for (let n = 0; n < 3; n++) runs.push(await bodyOf(await background("echo", { input: n, delay_seconds: 600 })));
    const refused = await background("echo", { delay_seconds: 600 });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
    expect(await bodyOf(refused)).toMatchObject({
      error: { code: "rate_limited", message: expect.stringContaining("WEFT_MAX_JOBS 3") },
    });
    for (const run of runs) await cancel(run["id"]);
  });
});

test("a call over the workflow's rate gets 429 with Retry-After", async () => {
  expect((await service.invoke("rated", { input: 1 })).status).toBe(200);
  const refused = await service.invoke("rated", { input: 2 });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(3_000);
  expect(refused.headers.get("x-should-retry")).toBe("true");
});

describe("resume", () => {
  const failed = async () => {
    const id = (await service.invoke("fails", { input: 1 })).headers.get("x-weft-execution-id");
    return `/api/v1/runs/${id}`;
  };
  const post = (path: string, headers = {}) => service.send(`${path}/resume`, { method: "POST", headers });
  const read = async (path: string) => (await bodyOf(await service.send(path)))["data"] as Json;

  test("puts a failed run back to work", async () => {
    const path = await failed();
    const response = await post(path);
    expect(response.status).toBe(200);
    expect(await bodyOf(response)).toMatchObject({ data: { attempts: 2 } });
    await until(async () => (await read(path))["status"] === "failed");
    expect(await read(path)).toMatchObject({ attempts: 2, error: { message: "no luck" } });
  });

  test("is 409 for others, 404 for what is unknown or another account's", async () => {
    const id = (await service.invoke("echo", { input: 1 })).headers.get("x-weft-execution-id");
    const refused = await post(`/api/v1/runs/${id}`);
    expect(refused.status).toBe(409);
    expect(await bodyOf(refused)).toMatchObject({ error: { message: expect.stringContaining("completed") } });
    expect((await post("/api/v1/runs/exec_00000000000000000000000000000000")).status).toBe(404);
    expect((await post("/api/v1/runs/nonsense")).status).toBe(404);
    const key = randomBytes(8).toString("hex");
    expect((await post(await failed(), { authorization: `Bearer ${key}` })).status).toBe(401);
  });
});
