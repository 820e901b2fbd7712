import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Service, startService } from "../../service.ts";

type Body = NonNullable<RequestInit["body"]>;

let service: Service;
beforeAll(async () => {
  service = await startService({ WEFT_LIMIT_MAX_FILE_BYTES: "40000000" });
});
afterAll(async () => {
  expect(service.reported).toEqual([]);
  await service.close();
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function form(content: string, fields: Readonly<Record<string, string>> = {}): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append("file", new Blob([content], { type: "text/plain" }), "notes.txt");
  return data;
}

const upload = (body: Body) => service.send("/v1/files/upload", { method: "POST", body });

describe("POST /v1/files/upload", () => {
  test("answers with both names of the id, and the id goes into an input", async () => {
    const response = await upload(form("hello world", { scope_type: "workflow", scope_id: "7" }));
    const body = (await response.json()) as { file_uuid: string };
    expect(response.status).toBe(200);
    expect(body).toEqual({
      file_id: body.file_uuid,
      file_uuid: expect.stringMatching(UUID),
      status: "ready",
      tokens: 3,
      message: "File uploaded successfully",
    });
    await service.deploy("sees", "export const execute = (ctx) => ctx.files.read(ctx.input.document);");
    const answer = await service.invoke("sees", { input: { document: body.file_uuid } });
    expect(await answer.json()).toMatchObject({ output: "hello world" });
    const status = await service.send(`/v1/files/${body.file_uuid}/status`);
    expect(await status.json()).toEqual({ file_id: body.file_uuid, status: "ready" });
  });

  test("without a file is 422 with a list of details", async () => {
    const data = form("x");
    data.delete("file");
    data.append("scope_type", "chat");
    for (const body of [data, "{}"]) {
      const response = await upload(body);
      expect([response.status, await response.json()]).toEqual([
        422,
        { detail: [{ loc: ["body", "file"], msg: expect.stringContaining("file: is required"), type: "missing" }] },
      ]);
    }
  });

  test("over 30 MB is 413", async () => {
    const response = await upload(form("x".repeat(30 * 1024 * 1024 + 1)));
    expect([response.status, await response.json()]).toEqual([413, { detail: expect.stringContaining("30 MB") }]);
  });

  test("without a key is 401", async () => {
    const response = await fetch(`${service.url}/v1/files/upload`, { method: "POST", body: form("x") });
    expect([response.status, await response.json()]).toEqual([401, { detail: "Invalid or missing API key" }]);
  });
});

test("an unknown file is 404, and an unknown path too", async () => {
  for (const id of ["00000000-0000-4000-8000-000000000000", "nothing"]) {
    const response = await service.send(`/v1/files/${id}/status`);
    expect([response.status, await response.json()]).toEqual([404, { detail: "File not found" }]);
  }
  expect(await (await service.send("/v1/files/a/b/c")).json()).toEqual({
    detail: expect.stringContaining("nothing at"),
  });
});

describe("POST /v1/files/upload-url", () => {
  const announce = (body: unknown) => service.post("/v1/files/upload-url", body);

  test("leads to a file that is ready once its bytes came", async () => {
    const body = { file_name: "a.txt", file_size: 5, mime_type: "text/plain", scope_type: "chat", scope_id: null };
    const made = (await (await announce(body)).json()) as { file_id: string; upload_url: string };
    expect(made).toEqual({
      file_id: expect.stringMatching(UUID),
      file_uuid: made.file_id,
      upload_url: expect.stringContaining(`/v1/files/${made.file_id}/content?expires=`),
      expires_in: 3_600,
    });
    const status = async () => (await (await service.send(`/v1/files/${made.file_id}/status`)).json()) as object;
    expect(await status()).toMatchObject({ status: "uploading" });
    const put = await fetch(made.upload_url, {
      method: "PUT",
      body: "hello",
      headers: { "content-type": "text/plain" },
    });
    expect([put.status, await put.json()]).toEqual([200, { file_id: made.file_id, status: "ready" }]);
    expect(await status()).toMatchObject({ status: "ready" });
  });

  test("a missing or wrong field is 422, broken JSON 400, too large 413", async () => {
    const response = await announce({ file_name: "a" });
    expect([response.status, await response.json()]).toEqual([
      422,
      { detail: [{ loc: ["body", "file_size"], msg: "file_size: is required", type: "missing" }] },
    ]);
    expect((await announce({ file_name: "a", file_size: -1 })).status).toBe(422);
    expect((await announce({ file_name: "a", file_size: 31_457_281 })).status).toBe(413);
    const broken = await service.send("/v1/files/upload-url", {
      method: "POST",
      body: "{",
      headers: { "content-type": "application/json" },
    });
    expect([broken.status, await broken.json()]).toEqual([400, { detail: expect.stringContaining("not valid JSON") }]);
  });
});
