import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.deploy("naps", `export const execute = async (ctx) => { await ctx.sleep(5); return Date.now(); };`);
  await service.deploy("parked", `export const execute = (ctx) => ctx.sleep("1h");`);
});
afterAll(() => service.close());

const linesOf = async (response: Response) =>
  (await response.text())
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function run(ref: string): Promise<string> {
  const response = await service.invoke(ref, { input: 1, background: true });
  return ((await response.json()) as { id: string }).id;
}
const statusIs = async (id: string, status: string) => {
  const look = async () => {
    const { data } = (await (await service.send(`/api/v1/runs/${id}`)).json()) as { data: { status: string } };
    return data.status;
  };
  await until(look, (now) => now === status);
};

describe("a recording", () => {
  test("is one JSON object a line, from head to end", async () => {
    const id = await run("naps");
    await statusIs(id, "completed");
    const response = await service.send(`/api/v1/runs/${id}/recording`);
    expect(response.headers.get("content-type")).toContain("application/x-ndjson");
    const lines = await linesOf(response);
    expect(lines[0]).toMatchObject({ type: "recording", format: 1, execution: { ref: "naps" } });
    expect(lines.at(-1)).toEqual({ type: "end", lines: lines.length - 1 });
    expect(lines.map(({ type }) => type)).toContain("delivery");
  });

  test("of a run that the result cache answered is that of the run whose result it is, as long as there is one", async () => {
    await service.deploy("same", "export const execute = (ctx) => ctx.input;");
    const id = await run("same");
    await statusIs(id, "completed");
    const cached = await run("same");
    await statusIs(cached, "completed");
    const response = await service.send(`/api/v1/runs/${cached}/recording`);
    expect(response.headers.get("x-weft-execution-id")).toBe(id);
    const text = await response.text();
    const again = await service.send(`/api/v1/runs/${id}/recording`);
    expect(again.headers.get("x-weft-execution-id")).toBe(id);
    expect(await again.text()).toBe(text);
    const detail = (await (await service.send(`/api/v1/runs/${cached}`)).json()) as { data: Record<string, unknown> };
    expect(detail.data).toMatchObject({ cached: true, result_of: id });
    expect((await service.send(`/api/v1/runs/${id}`, { method: "DELETE" })).status).toBe(200);
    const gone = await service.send(`/api/v1/runs/${cached}/recording`);
    expect(gone.status).toBe(409);
    expect(await gone.json()).toMatchObject({
      error: { message: expect.stringContaining(`the result of run ${id}, which was deleted`) },
    });
  });

  test("of an unknown run, or without a key, is refused as a plain error", async () => {
    expect((await service.send(`/api/v1/runs/exec_${"0".repeat(32)}/recording`)).status).toBe(404);
    expect((await service.send("/api/v1/runs/nonsense/recording")).status).toBe(404);
    expect((await fetch(`${service.url}/api/v1/runs/exec_${"0".repeat(32)}/recording`)).status).toBe(401);
  });
});

describe("a check", () => {
  test("names ended and waiting runs, and what became of them", async () => {
    await statusIs(await run("parked"), "waiting");
    const check = (code: string) => service.post("/api/v1/workflows/parked/check", { code });
    expect(await linesOf(await check(`export const execute = (ctx) => ctx.sleep("1h");`))).toMatchObject([
      { status: "waiting", verdict: "identical" },
    ]);
    expect(await linesOf(await check(`export const execute = () => 1;`))).toMatchObject([
      { status: "waiting", verdict: "differs", part: "end", replayed: { status: "completed" } },
    ]);
  });

  test("takes the newest ended runs, as many as asked for", async () => {
    const code = `export const execute = async (ctx) => { await ctx.sleep(5); return Date.now(); };`;
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const id = await run("naps");
      await statusIs(id, "completed");
      ids.unshift(id);
    }
    const lines = await linesOf(await service.post("/api/v1/workflows/naps/check", { code, last: 2 }));
    expect(lines).toMatchObject(ids.slice(0, 2).map((id) => ({ run: id, verdict: "identical" })));
  });

  test("refuses a script with errors, an unknown workflow and a wrong number", async () => {
    const check = async (ref: string, body: object) => {
      const response = await service.post(`/api/v1/workflows/${ref}/check`, body);
      return { status: response.status, error: ((await response.json()) as { error: { message: string } }).error };
    };
    expect(await check("naps", { code: "export const nothing = 1;" })).toMatchObject({ status: 400 });
    expect(await check("nobody", { code: "export const execute = () => 1;" })).toMatchObject({ status: 404 });
    expect(await check("naps", { code: "export const execute = () => 1;", last: 0 })).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining("last") },
    });
  });
});
