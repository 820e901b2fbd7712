import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService({ WEFT_HTTP_ALLOW_PRIVATE: "127.0.0.0/8" });
  await service.deploy("echo", "export const execute = (ctx) => ctx.input;");
  await service.deploy("naps", `export const execute = (ctx) => ctx.sleep("1h");`);
  await service.deploy("asks", "export const execute = async (ctx) => (await ctx.http.get(ctx.input)).status;");
  await service.deploy(
    "parent",
    `export const execute = (ctx) => ctx.workflow.completions.create({ model: "workflow:asks", input: ctx.input });`,
  );
});
afterAll(() => service.close());

const start = async (ref: string, input: unknown = 1) =>
  ((await (await service.invoke(ref, { input, background: true })).json()) as { id: string }).id;
const remove = (id: string) => service.send(`/api/v1/runs/${id}`, { method: "DELETE" });
const read = async (id: string) =>
  (await (await service.send(`/api/v1/runs/${id}`)).json()) as {
    readonly data?: { readonly status: string; readonly children: readonly string[] };
  };

describe("DELETE of a run", () => {
  test("removes it with its cached result, and is 404 the second time", async () => {
    const first = await service.invoke("echo", { input: 7 });
    const id = first.headers.get("x-weft-execution-id") ?? "";
    expect((await service.invoke("echo", { input: 7 })).headers.get("x-weft-cache")).toBe("hit");
    const response = await remove(id);
    expect([response.status, await response.json()]).toEqual([200, { data: { deleted: true } }]);
    for (const rest of ["", "/trace", "/chunks", "/stream", "/events"]) {
      expect((await service.send(`/api/v1/runs/${id}${rest}`)).status).toBe(404);
    }
    expect((await remove(id)).status).toBe(404);
    expect((await service.invoke("echo", { input: 7 })).headers.get("x-weft-cache")).toBe("miss");
  });

  test("cancels a waiting run first, and breaks off its streams", async () => {
    const id = await start("naps");
    const stream = await service.send(`/api/v1/runs/${id}/stream`);
    const text = stream.text().catch(() => "broken off");
    await until(async () => (await read(id)).data?.status === "waiting");
    expect((await remove(id)).status).toBe(200);
    expect(["broken off", expect.stringContaining("workflow_cancelled")]).toContainEqual(await text);
    expect((await service.send(`/api/v1/runs/${id}`)).status).toBe(404);
  });
});

describe("cancelling a run", () => {
  test("breaks off the calls that it and its children have under way", async () => {
    let open = 0;
    let closed = 0;
    const upstream = createServer((_request, response) => {
      open++;
      response.on("close", () => closed++);
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/`;
    const ids = [await start("asks", url), await start("parent", url)];
    await until(async () => open === 2);
    const child = await until(async () => (await read(ids[1] ?? "")).data?.children[0]);
    expect((await remove(child)).status).toBe(409);
    for (const id of ids) await service.send(`/api/v1/runs/${id}/cancel`, { method: "POST" });
    await until(async () => closed === 2);
    for (const id of [...ids, child]) expect((await read(id)).data?.status).toBe("cancelled");
    upstream.close();
  });
});
