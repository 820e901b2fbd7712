import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.deploy(
    "talk",
    `export const execute = (ctx) => { ctx.log("half way", { pct: 50 }); ctx.emit("progress", { pct: 50 }); ctx.write("Hi"); return { n: ctx.input }; };`,
  );
  await service.deploy("fails", `export const execute = () => { throw new TypeError("no luck"); };`);
  await service.deploy("sleeps", `export const execute = (ctx) => ctx.sleep("1h");`);
});
afterAll(() => service.close());

interface Run {
  readonly id: string;
  readonly status: string;
  readonly [member: string]: unknown;
}
const read = async (path: string) => (await (await service.send(path)).json()) as { data: Run };
const start = async (ref: string, input: unknown = 1) => {
  const response = await service.invoke(ref, { input, background: true, no_cache: true });
  return { response, run: (await response.json()) as Run };
};
const ended = (id: string) =>
  until(async () => {
    const { data } = await read(`/api/v1/runs/${id}`);
    return ["completed", "failed", "cancelled"].includes(data.status) ? data : null;
  });

describe("background", () => {
  test("answers 202 with a run that can be polled", async () => {
    const { response, run } = await start("talk", 7);
    expect(response.status).toBe(202);
    expect(run).toMatchObject({
      id: expect.stringMatching(/^exec_[0-9a-f]{32}$/),
      object: "workflow.run",
      workflow_ref_name: "talk",
      mode: "background",
      version: "1.0.0",
    });
    expect(response.headers.get("location")).toBe(`/api/v1/runs/${run.id}`);
    expect(response.headers.get("x-weft-execution-id")).toBe(run.id);
    expect(await ended(run.id)).toMatchObject({
      id: run.id,
      status: "completed",
      output: { n: 7 },
      error: null,
      cached: false,
      chunks: 2,
      usage: { total_tokens: 0, cost_usd: 0 },
      duration_ms: expect.any(Number),
      finished_at: expect.any(Number),
    });
  });

  test("and streaming are what a workflow may ask for; a call that says either decides for itself", async () => {
    const { workflows, accountId } = service;
    const kindOf = async (mode: "sync" | "async" | "stream", body: Readonly<Record<string, unknown>>) => {
      await workflows.update({ accountId, key: "talk", settings: { executionMode: mode } });
      const response = await service.invoke("talk", { input: 1, ...body });
      await response.text();
      return `${response.status} ${response.headers.get("content-type")?.split(";")[0]}`;
    };
    const whole = "200 application/json";
    expect(await kindOf("async", {})).toBe("202 application/json");
    expect(await kindOf("async", { stream: null })).toBe("202 application/json");
    expect(await kindOf("async", { background: false })).toBe(whole);
    expect(await kindOf("async", { stream: false })).toBe(whole);
    expect(await kindOf("async", { stream: true })).toBe("200 text/event-stream");
    expect(await kindOf("stream", {})).toBe("200 text/event-stream");
    expect(await kindOf("stream", { stream: false })).toBe(whole);
    expect(await kindOf("stream", { background: true })).toBe("202 application/json");
    expect(await kindOf("sync", {})).toBe(whole);
  });

  test("what is known before the run is a plain status", async () => {
    expect((await start("nowhere")).response.status).toBe(404);
  });

  test("a failed run shows its error", async () => {
    const { run } = await start("fails");
    expect(await ended(run.id)).toMatchObject({
      status: "failed",
      output: null,
      error: { code: "workflow_execution_error", status: 500, message: "TypeError: no luck", details: { line: 1 } },
    });
  });
});

test("a run is found by either form of its id", async () => {
  const { run } = await start("talk");
  const hex = run.id.slice("exec_".length);
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  expect((await read(`/api/v1/runs/${uuid}`)).data.id).toBe(run.id);
  expect((await read(`/api/v1/runs/${run.id.toUpperCase().replace("EXEC", "exec")}`)).data.id).toBe(run.id);
});

test.each(["exec_00000000000000000000000000000000", "00000000-0000-4000-8000-000000000000", "nonsense"])(
  "%s is 404",
  async (id) => {
    for (const rest of ["", "/logs", "/chunks"]) {
      const response = await service.send(`/api/v1/runs/${id}${rest}`);
      expect(response.status).toBe(404);
      const shown = id.includes("-") ? `exec_${id.replaceAll("-", "")}` : id;
      const message = `Execution not found: ${shown}`;
      expect(await response.json()).toMatchObject({
        error: { code: "run_not_found", message, details: { id: shown } },
      });
    }
    expect((await service.send(`/api/v1/runs/${id}/cancel`, { method: "POST" })).status).toBe(404);
  },
);

test("logs and chunks are read from an index on", async () => {
  const { run } = await start("talk");
  await ended(run.id);
  const list = async (what: string) => (await read(`/api/v1/runs/${run.id}/${what}`)).data;
  expect(await list("logs")).toEqual([
    { index: 0, level: "info", at: expect.any(Number), message: "half way", fields: { pct: 50 } },
  ]);
  const chunks = [
    { index: 0, type: "progress", content: { pct: 50 }, text: false },
    { index: 1, type: "delta", content: "Hi", text: true },
  ];
  expect(await list("chunks")).toEqual(chunks);
  expect(await list("chunks?from=1")).toEqual(chunks.slice(1));
  expect(await list("chunks?limit=1")).toEqual(chunks.slice(0, 1));
  expect((await service.send(`/api/v1/runs/${run.id}/chunks?from=-1`)).status).toBe(400);
  expect((await service.send(`/api/v1/runs/${run.id}/chunks?form=1`)).status).toBe(400);
});

describe("cancel", () => {
  test("ends a waiting run", async () => {
    const { run } = await start("sleeps");
    const response = await service.send(`/api/v1/runs/${run.id}/cancel`, { method: "POST" });
    expect(response.status).toBe(200);
    expect((await ended(run.id)).status).toBe("cancelled");
  });

  test("leaves a run that is over as it is", async () => {
    const { run } = await start("talk");
    await ended(run.id);
    const response = await service.send(`/api/v1/runs/${run.id}/cancel`, { method: "POST" });
    expect(await response.json()).toMatchObject({ data: { status: "completed" } });
  });

  test("the caller who waits gets 409 and is told not to repeat", async () => {
    const marker = crypto.randomUUID();
    const call = service.invoke("sleeps", { input: 1 }, { "x-request-id": marker });
    const id = await until(async () => {
      const { data } = (await (await service.send("/api/v1/workflows/sleeps/runs")).json()) as { data: readonly Run[] };
      return data.find((run) => run["request_id"] === marker)?.id;
    });
    await service.send(`/api/v1/runs/${id}/cancel`, { method: "POST" });
    const response = await call;
    expect(response.status).toBe(409);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await response.json()).toMatchObject({ error: { code: "workflow_cancelled", type: "workflow_error" } });
  });
});

test("the runs of a workflow are listed newest first, by status", async () => {
  await service.deploy(
    "listed",
    "export const execute = (ctx) => { if (ctx.input === 2) throw 1; return ctx.input; };",
  );
  for (const input of [1, 2, 3]) await ended((await start("listed", input)).run.id);
  const list = async (query: string) =>
    (await (await service.send(`/api/v1/workflows/listed/runs?${query}`)).json()) as {
      data: readonly Run[];
      pagination: object;
    };
  const all = await list("");
  expect(all.data.map((run) => run.status)).toEqual(["completed", "failed", "completed"]);
  expect(all.pagination).toEqual({ total: 3, offset: 0, limit: 25, next_cursor: null });
  expect((await list("status=failed")).data).toHaveLength(1);
  expect((await list("limit=1&offset=2")).data.map((run) => run.id)).toEqual([all.data[2]?.id]);
  expect((await service.send("/api/v1/workflows/listed/runs?status=odd")).status).toBe(400);
  expect((await service.send("/api/v1/workflows/nowhere/runs")).status).toBe(404);
});
