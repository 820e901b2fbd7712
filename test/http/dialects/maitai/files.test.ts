import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

type Json = Readonly<Record<string, unknown>>;

type Body = NonNullable<RequestInit["body"]>;

let service: Service;
beforeAll(async () => {
  service = await startService({
    WEFT_LIMIT_MAX_FILE_BYTES: "200000",
    WEFT_LIMIT_MAX_ACCOUNT_FILE_BYTES: "2000000",
  });
});
afterAll(async () => {
  expect(service.reported).toEqual([]);
  await service.close();
});

const dataOf = async (response: Response) => ((await response.json()) as { data: Json }).data;
const errorOf = async (response: Response) => ((await response.json()) as { error: Json & { message: string } }).error;

const upload = (body: Body, name = "a.txt", type = "text/plain") =>
  service.send(`/api/v1/files?name=${encodeURIComponent(name)}`, {
    method: "POST",
    body,
    headers: { "content-type": type },
  });
const idOf = async (response: Promise<Response>) => String((await dataOf(await response))["id"]);
const content = (id: string, headers: Readonly<Record<string, string>> = {}, method = "GET") =>
  service.send(`/api/v1/files/${id}/content`, { method, headers });
const contentFiles = () => {
  const all = readdirSync(join(service.dataDir, "files"), { recursive: true, withFileTypes: true });
  return all.filter((entry) => entry.isFile()).map(({ name }) => name);
};

function form(file: Blob, filename: string, fields: Readonly<Record<string, string>> = {}): FormData {
  const data = new FormData();
  data.append("file", file, filename);
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

describe("upload", () => {
  test("takes a body as it is, whatever its type, and shows what it is", async () => {
    for (const type of ["text/plain", "application/json", "application/octet-stream", "image/svg+xml"]) {
      const response = await upload("{ no json", "name.txt", type);
      expect([response.status, await dataOf(response)]).toEqual([
        200,
        {
          id: expect.stringMatching(/^file_[0-9a-f]{32}$/),
          object: "file",
          name: "name.txt",
          bytes: 9,
          content_type: type,
          status: "ready",
          sha256: createHash("sha256").update("{ no json").digest("hex"),
          run: null,
          scope_type: null,
          scope_id: null,
          created_at: expect.any(Number),
          content_url: expect.stringMatching(/^\/api\/v1\/files\/file_[0-9a-f]{32}\/content$/),
        },
      ]);
    }
  });

  test("takes a form, its fields before and behind the file", async () => {
    const data = form(new Blob(["x,y"], { type: "text/csv" }), "übung.csv", { scope_type: "workflow", scope_id: "7" });
    const response = await service.send("/api/v1/files", { method: "POST", body: data });
    expect(await dataOf(response)).toMatchObject({
      name: "übung.csv",
      bytes: 3,
      content_type: "text/csv",
      scope_type: "workflow",
      scope_id: "7",
    });
  });

  test("takes an empty file", async () => {
    const id = await idOf(service.send("/api/v1/files", { method: "POST" }));
    const response = await content(id);
    expect([response.status, response.headers.get("content-length"), await response.text()]).toEqual([200, "0", ""]);
    expect((await content(id, { range: "bytes=0-" })).status).toBe(416);
  });

  test.each([
    ["no file", form(new Blob(["x"]), "x"), "file: is required", (data: FormData) => data.delete("file")],
    ["two files", form(new Blob(["x"]), "x"), "file", (data: FormData) => data.append("file", new Blob(["y"]), "y")],
    ["a long field", form(new Blob(["x"]), "x", { note: "n".repeat(5_000) }), "note: over 4096 bytes", () => undefined],
  ])("refuses a form with %s and keeps nothing of it", async (_what, data, message, change) => {
    change(data);
    const before = contentFiles().length;
    const response = await service.send("/api/v1/files", { method: "POST", body: data });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect((await errorOf(response)).message).toContain(message);
    expect(contentFiles().length).toBe(before);
  });

  test("refuses what is too large, by its length, by what comes and as a form, naming the limit", async () => {
    const large = "x".repeat(200_001);
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode("x".repeat(50_000)));
      },
    });
    const streamed = service.send("/api/v1/files", {
      method: "POST",
      body: stream,
      duplex: "half",
      headers: { "content-type": "text/plain" },
    } as RequestInit);
    for (const response of [
      upload(large),
      service.send("/api/v1/files", { method: "POST", body: form(new Blob([large]), "x") }),
      streamed,
    ]) {
      const answer = await response;
      expect(answer.status).toBe(413);
      expect((await errorOf(answer)).message).toContain("over 200000 (maxFileBytes)");
    }
    expect((await upload("x".repeat(200_000))).status).toBe(200);
  });

  test("that breaks off leaves nothing", async () => {
    const before = contentFiles();
    const { hostname, port } = new URL(service.url);
    const headers = {
      authorization: `Bearer ${service.apiKey}`,
      "content-length": 1_000,
      "content-type": "text/plain",
    };
    const request = httpRequest({ hostname, port, path: "/api/v1/files?name=half", method: "POST", headers });
    request.on("error", () => undefined);
    request.write("half");
    await until(async () => contentFiles().length > before.length);
    request.destroy();
    await until(async () => contentFiles().length === before.length);
    const { data } = (await (await service.send("/api/v1/files?limit=100")).json()) as { data: readonly Json[] };
    expect(data.map((file) => file["name"])).not.toContain("half");
  });

  test("cleans a name that means to be a path or a header", async () => {
    const id = await idOf(upload("1", "../../x\r\nSet-Cookie: a"));
    const response = await content(id);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(response.headers.get("content-disposition")).toBe(
      `attachment; filename="xSet-Cookie_ a"; filename*=UTF-8''xSet-Cookie%3A%20a`,
    );
    const many = await dataOf(await upload("1", "😀".repeat(500)));
    expect(many["name"]).toBe("😀".repeat(127));
    const filename = await service.send("/api/v1/files", { method: "POST", body: form(new Blob(["1"]), "../../y") });
    expect((await dataOf(filename))["name"]).toBe("y");
  });
});

describe("download", () => {
  test("gives the bytes as an attachment that no browser shows or runs", async () => {
    const bytes = randomBytes(150_000);
    const id = await idOf(upload(new Uint8Array(bytes), "page.html", "text/html"));
    const response = await content(id);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/html",
      "content-length": "150000",
      "content-disposition": `attachment; filename="page.html"; filename*=UTF-8''page.html`,
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'",
      "accept-ranges": "bytes",
    });
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    const head = await content(id, {}, "HEAD");
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "150000", ""]);
  });

  test("gives parts, and all of it where the part is of something else", async () => {
    const id = await idOf(upload("0123456789"));
    const part = async (headers: Readonly<Record<string, string>>) => {
      const response = await content(id, headers);
      return [response.status, response.headers.get("content-range"), await response.text()];
    };
    expect(await part({ range: "bytes=2-4" })).toEqual([206, "bytes 2-4/10", "234"]);
    expect(await part({ range: "bytes=-2" })).toEqual([206, "bytes 8-9/10", "89"]);
    expect(await part({ range: "bytes=10-" })).toEqual([416, "bytes */10", ""]);
    expect(await part({ range: "bytes=2-4", "if-range": '"other"' })).toEqual([200, null, "0123456789"]);
    const etag = (await content(id)).headers.get("etag") ?? "";
    expect(await part({ range: "bytes=2-4", "if-range": etag })).toEqual([206, "bytes 2-4/10", "234"]);
  });

  test("a content type that is no type is unknown", async () => {
    const id = await idOf(upload("x", "x", "text/html; charset=utf-8, text/evil"));
    expect((await content(id)).headers.get("content-type")).toBe("application/octet-stream");
  });

  test("a reader that goes away is no failure", async () => {
    const id = await idOf(upload("x".repeat(200_000)));
    const { hostname, port } = new URL(service.url);
    const path = `/api/v1/files/${id}/content`;
    const headers = { authorization: `Bearer ${service.apiKey}` };
    const request = httpRequest({ hostname, port, path, headers }).end();
    const [response] = await once(request, "response");
    response.destroy();
    expect((await content(id)).status).toBe(200);
  });
});

describe("list, show and delete", () => {
  test("lead from page to page, newest first, and forget what was deleted", async () => {
    const ids: string[] = [];
    for (const n of [1, 2, 3]) ids.unshift(await idOf(upload(`listed ${n}`)));
    const page = async (query: string) =>
      (await (await service.send(`/api/v1/files?${query}`)).json()) as {
        data: readonly Json[];
        pagination: { next_cursor: string | null };
      };
    const first = await page("limit=2");
    const second = await page(`limit=1&cursor=${first.pagination.next_cursor}`);
    expect([...first.data, ...second.data].map((file) => file["id"])).toEqual(ids);
    expect(await dataOf(await service.send(`/api/v1/files/${ids[0]}`, { method: "DELETE" }))).toEqual({
      deleted: true,
    });
    for (const method of ["GET", "DELETE"])
      expect((await service.send(`/api/v1/files/${ids[0]}`, { method })).status).toBe(404);
    expect((await content(ids[0] ?? "")).status).toBe(404);
    expect((await page("limit=1")).data[0]).toMatchObject({ id: ids[1] });
    const refused = await service.send("/api/v1/files?cursor=7");
    expect([refused.status, await errorOf(refused)]).toEqual([400, expect.objectContaining({ param: "cursor" })]);
  });

  test("a content goes with the last file that has it", async () => {
    const text = `unique ${Math.random()}`;
    const [one, two] = [await idOf(upload(text)), await idOf(upload(text))];
    const hash = createHash("sha256").update(text).digest("hex");
    await service.send(`/api/v1/files/${one}`, { method: "DELETE" });
    expect(await (await content(two)).text()).toBe(text);
    expect(contentFiles()).toContain(hash);
    await service.send(`/api/v1/files/${two}`, { method: "DELETE" });
    await until(async () => !contentFiles().includes(hash));
  });
});

describe("signed links", () => {
  const link = async (id: string, body: object = {}) =>
    dataOf(await service.post(`/api/v1/files/${id}/url`, body)) as Promise<{ url: string; expires_in: number }>;

  test("give the content without a key, for the time that was asked", async () => {
    const id = await idOf(upload("signed"));
    const { url, expires_in } = await link(id, { expires_in: 60 });
    expect(expires_in).toBe(60);
    expect((await link(id)).expires_in).toBe(3_600);
    expect(url).not.toContain(service.apiKey);
    const response = await fetch(url, { headers: { range: "bytes=0-2" } });
    expect([response.status, await response.text()]).toEqual([206, "sig"]);
    expect((await fetch(url, { method: "HEAD" })).headers.get("content-length")).toBe("6");
    await service.send(`/api/v1/files/${id}`, { method: "DELETE" });
    expect((await fetch(url)).status).toBe(404);
  });

  test("that are changed, expired, for another file or another use are 403", async () => {
    const [id, other] = [await idOf(upload("signed")), await idOf(upload("other"))];
    const { url } = await link(id, { expires_in: 1 });
    const lasting = (await link(id)).url;
    const uuid = (text: string) => text.slice(5).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    const changed = [
      lasting.replace(/expires=\d+/, "expires=99999999999"),
      lasting.replace(/sig=./, (part) => (part.endsWith("A") ? "sig=B" : "sig=A")),
      lasting.replace(/sig=.*/, "sig="),
      `${lasting}=`,
      lasting.replace(uuid(id), uuid(other)),
      lasting.replace(uuid(id), "nothing"),
      lasting.replace("expires=", "expires=0"),
    ];
    for (const address of changed) {
      const response = await fetch(address);
      expect([response.status, await response.json()]).toEqual([403, { detail: "This link is not valid." }]);
    }
    expect((await fetch(lasting, { method: "PUT", body: "overwritten" })).status).toBe(403);
    expect((await fetch(lasting, { method: "DELETE" })).status).toBe(405);
    expect((await fetch(lasting.replace(/\?.*/, ""))).status).toBe(422);
    await until(async () => (await fetch(url)).status === 403);
    expect(await (await fetch(url)).json()).toEqual({ detail: "This link has expired." });
  });

  test.each([{ expires_in: 0 }, { expires_in: 604_801 }, { expires_in: "x" }, { other: 1 }])(
    "%j is refused",
    async (body) => {
      const id = await idOf(upload("x"));
      expect((await service.post(`/api/v1/files/${id}/url`, body)).status).toBe(400);
    },
  );

  test("for an upload take exactly what was announced, once", async () => {
    const body = { name: "later.bin", bytes: 10, content_type: "application/x-thing", expires_in: 60 };
    const announced = await dataOf(await service.post("/api/v1/files/upload-url", body));
    const { id, upload_url: url } = announced as { id: string; upload_url: string };
    expect(announced).toMatchObject({ status: "uploading", bytes: 10, expires_in: 60 });
    expect((await content(id)).status).toBe(409);
    const put = (content: Body, init: RequestInit = {}) => fetch(url, { method: "PUT", body: content, ...init });
    expect((await put("123456789")).status).toBe(422);
    expect((await put("12345678901")).status).toBe(422);
    const streamed = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("123456789012"));
        controller.close();
      },
    });
    expect((await put(streamed, { duplex: "half" } as RequestInit)).status).toBe(413);
    expect((await fetch(url)).status).toBe(403);
    const answers = await Promise.all([put("0123456789"), put("9876543210")]);
    const [first, second] = answers.map(({ status }) => status).sort();
    expect(first).toBe(200);
    // While the other is under way, or after it.
    expect([403, 409]).toContain(second);
    expect((await put("0123456789")).status).toBe(403);
    expect(await dataOf(await service.send(`/api/v1/files/${id}`))).toMatchObject({
      status: "ready",
      name: "later.bin",
    });
    expect(["0123456789", "9876543210"]).toContain(await (await content(id)).text());
  });

  test("for an upload that is too large are not made", async () => {
    const response = await service.post("/api/v1/files/upload-url", { name: "x", bytes: 200_001 });
    expect([response.status, (await errorOf(response)).message]).toEqual([
      413,
      "file: 200001 bytes, over 200000 (maxFileBytes)",
    ]);
  });
});

test("what a run wrote is listed with it, fetched by a signed link, and goes with it", async () => {
  await service.deploy("etl", "export const execute = async (ctx) => (await ctx.files.write('out.csv', 'a,b')).id;");
  const answer = (await (await service.invoke("etl")).json()) as { output: string; id: string };
  const { data: runs } = (await (await service.send("/api/v1/runs?workflow=etl")).json()) as { data: readonly Json[] };
  const run = String(runs[0]?.["id"]);
  const { data } = (await (await service.send(`/api/v1/runs/${run}/files`)).json()) as { data: readonly Json[] };
  expect(data).toMatchObject([{ id: answer.output, name: "out.csv", run }]);
  const { url } = (await dataOf(await service.post(`/api/v1/files/${answer.output}/url`, {}))) as { url: string };
  expect(await (await fetch(url)).text()).toBe("a,b");
  await service.send(`/api/v1/runs/${run}`, { method: "DELETE" });
  expect((await fetch(url)).status).toBe(404);
  expect((await service.send(`/api/v1/runs/${run}/files`)).status).toBe(404);
});

test("the account's quota is named when it is reached", async () => {
  let response = await upload("x".repeat(200_000));
  for (let n = 0; n < 12 && response.status === 200; n++) response = await upload("x".repeat(200_000));
  expect([response.status, (await errorOf(response)).message]).toEqual([
    413,
    expect.stringContaining("maxAccountFileBytes"),
  ]);
});
