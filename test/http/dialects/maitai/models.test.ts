import { afterAll, beforeAll, expect, test } from "vitest";
import { type Service, startService } from "../../service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.deploy("live", "export const execute = () => 1;");
  const draft = { workflow_ref_name: "draft-only", script: "export const execute = () => 1;", publish_version: false };
  await service.post("/api/v1/workflows/upload", draft);
});
afterAll(() => service.close());

const model = { id: "workflow:live", object: "model", created: expect.any(Number), owned_by: "weft" };

test.each(["/workflow", "/workflow/v1", "/v1"])("%s/models lists the workflows that can be called", async (base) => {
  expect(await (await service.send(`${base}/models`)).json()).toEqual({ object: "list", data: [model] });
});

test.each(["workflow:live", "workflow%3Alive", "live"])("one is found as %s", async (id) => {
  expect(await (await service.send(`/v1/models/${id}`)).json()).toEqual(model);
});

test.each(["gpt-4o", "workflow:nowhere", "workflow:1", "workflow:draft-only"])("%s is 404", async (id) => {
  const response = await service.send(`/v1/models/${id}`);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: "workflow_not_found" } });
});
