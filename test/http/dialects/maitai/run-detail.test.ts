import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

type Json = Readonly<Record<string, unknown>>;

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.deploy("leaf", "export const execute = (ctx) => ({ twice: 2 * ctx.input });");
  await service.deploy(
    "tree",
    `export async function execute(ctx) {
      const leaf = await ctx.workflow.completions.create({ model: "workflow:leaf", input: ctx.input.n });
      const said = await ctx.chat.completions.create({ messages: [{ role: "user", content: "x".repeat(3000) + ctx.secrets.KEY }] });
      await ctx.workflow.completions.create({ model: "workflow:nowhere", input: 1 }).catch(() => 0);
      return { leaf: leaf.output, said: said.choices[0].message.content.length > 0 };
    }`,
  );
  await service.deploy("naps", `export const execute = (ctx) => ctx.sleep("1h");`);
  await service.deploy(
    "parent",
    `export const execute = (ctx) => ctx.workflow.completions.create({ model: "workflow:naps", input: 1 });`,
  );
});
afterAll(() => service.close());

const read = async (path: string) =>
  (await (await service.send(path)).json()) as { data: never; pagination: { next_from: number } };
const start = async (ref: string) => {
  const response = await service.invoke(ref, { input: 1, background: true });
  return ((await response.json()) as { id: string }).id;
};

describe("a run", () => {
  let id = "";
  beforeAll(async () => {
    const body = {
      input: { n: 4, key: "hush-hush" },
      metadata: { tenant: "a" },
      secrets: { KEY: "hush-hush" },
      temperature: 0.5,
      session_id: "s",
    };
    const response = await service.invoke("tree", body);
    id = response.headers.get("x-weft-execution-id") ?? "";
  });

  test("shows what was asked, where the time went, its children and links, and no secret", async () => {
    const text = await (await service.send(`/api/v1/runs/${id}`)).text();
    expect(text).not.toContain("hush-hush");
    expect((JSON.parse(text) as Json)["data"]).toMatchObject({
      status: "completed",
      input: { n: 4 },
      messages: [],
      params: { temperature: 0.5 },
      metadata: { tenant: "a" },
      output: { leaf: { twice: 8 }, said: true },
      timings: { queued_ms: expect.any(Number), running_ms: expect.any(Number), waiting_ms: 0 },
      children: [expect.stringMatching(/^exec_/)],
      links: { self: `/api/v1/runs/${id}`, trace: `/api/v1/runs/${id}/trace`, parent: null },
    });
  });

  test("has a trace with a span per call, without secrets", async () => {
    const text = await (await service.send(`/api/v1/runs/${id}/trace`)).text();
    expect(text).not.toContain("hush-hush");
    const { data, pagination } = JSON.parse(text) as { data: readonly Json[]; pagination: object };
    const [child] = (await read(`/api/v1/runs/${id}`)).data["children"] as readonly string[];
    expect(pagination).toEqual({ next_from: null });
    expect(data).toMatchObject([
      {
        position: 0,
        name: "workflow.completions.create",
        status: "completed",
        arguments: { model: "workflow:leaf", input: 4 },
        result: { output: { twice: 8 } },
        error: null,
        node_id: null,
        child_run: child,
        cut: {},
      },
      {
        position: 1,
        name: "chat.completions.create",
        model: "echo",
        attempts: 1,
        started_at: expect.any(Number),
        duration_ms: expect.any(Number),
        usage: { total_tokens: expect.any(Number), cost_usd: 0 },
      },
      { position: 2, status: "failed", result: null, error: { code: "WORKFLOW_NOT_FOUND" } },
    ]);
  });

  test("has a trace in pages, whose long values are cut and say so", async () => {
    const { data, pagination } = (await read(`/api/v1/runs/${id}/trace?limit=2&max_bytes=60`)) as {
      data: readonly Json[];
      pagination: { next_from: number };
    };
    expect(data[1]?.["arguments"]).toHaveLength(60);
    expect(data[1]?.["cut"]).toMatchObject({ arguments: expect.any(Number) });
    const rest = (await read(`/api/v1/runs/${id}/trace?from=${pagination.next_from}`)) as { data: readonly Json[] };
    expect(rest.data.map((span) => span["position"])).toEqual([2]);
    expect((await service.send(`/api/v1/runs/${id}/trace?limit=0`)).status).toBe(400);
  });
});

test("a call of another workflow that is under way is an open span of the trace", async () => {
  const id = await start("parent");
  const span = await until(async () => {
    const { data } = (await read(`/api/v1/runs/${id}/trace`)) as { data: readonly Json[] };
    return data.find((one) => one["status"] === "running");
  });
  expect(span).toMatchObject({ position: 0, name: "workflow.completions.create", result: null });
  expect(span["child_run"]).toMatch(/^exec_/);
  await service.send(`/api/v1/runs/${id}/cancel`, { method: "POST" });
});

test("a waiting run says how long it has waited", async () => {
  const id = await start("naps");
  const run = await until(async () => {
    const { data } = (await read(`/api/v1/runs/${id}`)) as { data: Json & { timings: { waiting_ms: number } } };
    return data["status"] === "waiting" && data.timings.waiting_ms > 0 ? data : null;
  });
  expect(run["wakes_at"]).toEqual(expect.any(Number));
  await service.send(`/api/v1/runs/${id}/cancel`, { method: "POST" });
});

test("an unknown run has no trace", async () => {
  expect((await service.send("/api/v1/runs/exec_00000000000000000000000000000000/trace")).status).toBe(404);
});
