import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Service, startService } from "../../service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService({ WEFT_LIMIT_MAX_ACCESSORY_BYTES: "200000", WEFT_LIMIT_MAX_SCRIPT_BYTES: "50000" });
});
afterAll(() => service.close());

type Json = Readonly<Record<string, unknown>>;
const SCRIPT = "export const execute = (ctx) => ({ region: ctx.env.REGION ?? null, keys: ctx.accessories.keys() });";
const SCHEMED = `export const inputSchema = { type: "object" }; ${SCRIPT}`;
const MAITAI_FIELDS = {
  application_id: 42,
  input_schema: { city: { type: "string", description: "where" } },
  output_schema: null,
  transform_enabled: false,
  transform_session: null,
  allow_inproc_nesting: true,
  inproc_nested_refs: ["other"],
};

const upload = (body: Json) => service.post("/api/v1/workflows/upload", body);
const dataOf = async (response: Response) => ((await response.json()) as { data: Json }).data;
const errorOf = async (response: Response) => ((await response.json()) as { error: Json & { message: string } }).error;
const outputOf = async (ref: string, input: unknown = {}) =>
  ((await (await service.invoke(ref, { input })).json()) as { output: unknown }).output;

describe("upload as JSON", () => {
  test("answers in Maitai's envelope; the first version is 1.0.0", async () => {
    const response = await upload({ workflow_ref_name: "first", script: SCRIPT, version_bump: "patch" });
    expect(response.status).toBe(200);
    expect(await dataOf(response)).toMatchObject({
      id: expect.any(Number),
      workflow_ref_name: "first",
      workflow_name: "first",
      published_version: { version_number: "1.0.0" },
      version_created: true,
      bundle_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const again = await dataOf(await upload({ workflow_ref_name: "first", script: SCRIPT }));
    expect(again).toMatchObject({ version_created: false, published_version: { version_number: "1.0.0" } });
  });

  test("takes settings, more files and accessories", async () => {
    const response = await upload({
      workflow_ref_name: "full",
      workflow_name: "Full",
      description: "everything",
      language: "typescript",
      entry: "main.ts",
      script: `import { twice } from "./lib/twice.ts"; export const execute = async (ctx) => [twice(ctx.input), ctx.env.REGION, await ctx.load_accessory("hts")];`,
      files: [{ path: "lib/twice.ts", text: "export const twice = (n: number) => 2 * n;" }],
      timeout_seconds: 60,
      execution_mode: "sync",
      application_name: "ETL",
      env: { REGION: "eu" },
      cache: { enabled: true, ttl_seconds: 3600 },
      retention: { age_seconds: 86_400, runs: 1_000 },
      validate_input: false,
      accessories: [{ key: "hts", filename: "hts.json", content_base64: "eyJh\nIjoxfQ==" }],
      publish_version: true,
      version_bump: "minor",
      version_notes: "first",
    });
    expect(response.status).toBe(200);
    expect(await outputOf("full", 21)).toEqual([42, "eu", { a: 1 }]);
    expect(await dataOf(await service.send("/api/v1/workflows/full"))).toMatchObject({
      workflow_name: "Full",
      timeout_seconds: 60,
      application_name: "ETL",
      env: { REGION: "eu" },
      retention: { age_seconds: 86_400, runs: 1_000 },
      cache: { enabled: true, ttl_seconds: 3600 },
      active_version: "1.0.0",
    });
  });

  test("takes the fields that clients of Maitai send; the script's own schema counts", async () => {
    const response = await upload({ workflow_ref_name: "maitai", script: SCHEMED, ...MAITAI_FIELDS });
    expect(response.status).toBe(200);
    expect(await dataOf(await service.send("/api/v1/workflows/maitai"))).toMatchObject({
      input_schema: { type: "object" },
      output_schema: null,
    });
    const put = await service.send("/api/v1/workflows/maitai", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(MAITAI_FIELDS),
    });
    expect(put.status).toBe(200);
  });

  test("a script that does not compile is 400 with file, line, column and text", async () => {
    const script = "export const execute = () => {\n  return 1 +;\n};";
    const response = await upload({ workflow_ref_name: "broken", entry: "broken.ts", script });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({
      type: "invalid_request_error",
      code: "invalid_script",
      param: "script",
      details: [{ file: "broken.ts", line: 2, column: 12, text: expect.any(String), line_text: "  return 1 +;" }],
    });
  });

  test("a script without execute is named", async () => {
    const error = await errorOf(await upload({ workflow_ref_name: "none", script: "export const a = 1;" }));
    expect(error).toMatchObject({ code: "invalid_script", details: [{ line: 1, column: 0 }] });
    expect(error.message).toContain("exactly one exported execute(ctx)");
  });

  test.each<[Json, string]>([
    [{ script: SCRIPT }, "workflow_ref_name"],
    [{ workflow_ref_name: "a" }, "script"],
    [{ workflow_ref_name: "a", script: 5 }, "script"],
    [{ workflow_ref_name: "a", script: SCRIPT, scirpt: "" }, "scirpt"],
    [{ workflow_ref_name: "a", script: SCRIPT, language: "python" }, "language"],
    [{ workflow_ref_name: "a", script: SCRIPT, timeout_seconds: 0 }, "timeout_seconds"],
    [{ workflow_ref_name: "a", script: SCRIPT, env: { A: 1 } }, "env.A"],
    [{ workflow_ref_name: "a", script: SCRIPT, version_bump: "huge" }, "version_bump"],
    [{ workflow_ref_name: "a", script: SCRIPT, cache: {} }, "cache.enabled"],
    [{ workflow_ref_name: "a", script: SCRIPT, accessories: [{ key: "k" }] }, "accessories.0.content_base64"],
    [{ workflow_ref_name: "a", script: SCRIPT, accessories: [{ key: "k", content_base64: "!" }] }, "accessories"],
    [{ workflow_ref_name: "a/b", script: SCRIPT }, "workflow_ref_name"],
    [{ workflow_ref_name: "runs", script: SCRIPT }, "workflow_ref_name"],
    [{ workflow_ref_name: "a", script: SCRIPT, workflow_name: "n".repeat(201) }, "workflow_name"],
    [{ workflow_ref_name: "a", script: SCRIPT, application_name: "n".repeat(201) }, "application_name"],
    [{ workflow_ref_name: "a", script: SCRIPT, timeout_seconds: 1e9 }, "timeout_seconds"],
    [{ workflow_ref_name: "a", script: SCRIPT, cache: { enabled: true, ttl_seconds: 1e9 } }, "cache.ttl_seconds"],
  ])("%j is refused and names %s", async (body, param) => {
    const response = await upload(body);
    expect(response.status).toBe(400);
    const error = await errorOf(response);
    expect(error).toMatchObject({ type: "invalid_request_error", param });
    expect(error.message).toContain(param);
  });

  test("a script over its limit is 413 and names limit and value", async () => {
    const response = await upload({ workflow_ref_name: "big", script: `//${" ".repeat(50_000)}` });
    expect(response.status).toBe(413);
    expect((await errorOf(response)).message).toBe("script: 50002 bytes, over 50000 (maxScriptBytes)");
  });
});

describe("versions", () => {
  test("are listed newest first, activated and called by number", async () => {
    const script = (n: number) => `export const execute = () => ${n};`;
    await upload({ workflow_ref_name: "turn", script: script(1) });
    await upload({ workflow_ref_name: "turn", script: script(2), version_bump: "major", publish_version: false });
    expect(await outputOf("turn")).toBe(1);
    expect(await outputOf("turn@2.0.0")).toBe(2);
    const activated = await service.send("/api/v1/workflows/turn/versions/2.0.0/activate", { method: "POST" });
    expect(await dataOf(activated)).toMatchObject({ version_number: "2.0.0", active: true });
    expect(await outputOf("turn")).toBe(2);
    const { data } = (await (await service.send("/api/v1/workflows/turn/versions")).json()) as {
      data: readonly Json[];
    };
    expect(data.map((one) => [one["version_number"], one["active"]])).toEqual([
      ["2.0.0", true],
      ["1.0.0", false],
    ]);
    const missing = await service.send("/api/v1/workflows/turn/versions/9.9.9/activate", { method: "POST" });
    expect(missing.status).toBe(404);
    expect(await errorOf(missing)).toMatchObject({ code: "version_not_found" });
  });
});

describe("definitions", () => {
  test("are found by ref and number, changed and deleted", async () => {
    const { id } = await dataOf(await upload({ workflow_ref_name: "gone", script: SCRIPT }));
    expect(await dataOf(await service.send(`/api/v1/workflows/${id}`))).toMatchObject({ workflow_ref_name: "gone" });
    const put = (body: Json) =>
      service.send("/api/v1/workflows/gone", {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    expect(await dataOf(await put({ env: { REGION: "us" } }))).toMatchObject({ env: { REGION: "us" } });
    expect(await outputOf("gone")).toMatchObject({ region: "us" });
    expect((await put({ enviroment: {} })).status).toBe(400);
    expect(await dataOf(await service.send("/api/v1/workflows/gone", { method: "DELETE" }))).toEqual({ deleted: true });
    expect((await service.invoke("gone")).status).toBe(404);
    expect((await service.send("/api/v1/workflows/gone")).status).toBe(404);
  });

  test("are listed in pages", async () => {
    const list = async (query: string) =>
      (await (await service.send(`/api/v1/workflows?${query}`)).json()) as { data: readonly Json[]; pagination: Json };
    const all = await list("limit=100");
    const total = all.data.length;
    expect(all.pagination).toEqual({ total, offset: 0, limit: 100 });
    const page = await list("limit=2&offset=1");
    expect(page.data.map((one) => one["id"])).toEqual(all.data.slice(1, 3).map((one) => one["id"]));
    expect((await list("")).pagination).toMatchObject({ limit: 20 });
    expect((await list("limit=0")).pagination).toMatchObject({ limit: 1 });
    expect((await service.send("/api/v1/workflows?limit=ten")).status).toBe(400);
  });
});

test.each(["[]", "null", '"x"', "5"])("a body that is no object is refused by uploads: %s", async (body) => {
  for (const path of ["/api/v1/workflows", "/api/v1/workflows/upload"]) {
    const headers = { "content-type": "application/json" };
    expect((await service.send(path, { method: "POST", body, headers })).status).toBe(400);
  }
});

test("a list is whole while workflows in it are being deleted", async () => {
  const refs = Array.from({ length: 20 }, (_, i) => `fleeting-${i}`);
  for (const workflow_ref_name of refs) await upload({ workflow_ref_name, script: SCRIPT });
  const answers = refs.flatMap((ref) => [
    service.send("/api/v1/workflows?limit=100"),
    service.send(`/api/v1/workflows/${ref}`, { method: "DELETE" }),
  ]);
  for (const response of await Promise.all(answers)) expect(response.status).toBe(200);
});

describe("schemas beside a script that exports none", () => {
  const input_schema = { city: { type: "string", required: true } };
  const output_schema = { type: "object" };
  const shown = async (ref: string) => dataOf(await service.send(`/api/v1/workflows/${ref}`));
  const put = (ref: string, body: Json) =>
    service.send(`/api/v1/workflows/${ref}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  test("are shown, stay with later uploads, are informational, and are taken away by null", async () => {
    await upload({ workflow_ref_name: "given", script: SCRIPT, input_schema, output_schema });
    expect(await shown("given")).toMatchObject({ input_schema, output_schema });
    expect((await service.invoke("given", { input: 1 })).status).toBe(200);
    await upload({ workflow_ref_name: "given", script: `${SCRIPT} export const more = 1;` });
    expect(await shown("given")).toMatchObject({ input_schema, output_schema });
    expect((await put("given", { input_schema: {}, output_schema: null })).status).toBe(200);
    expect(await shown("given")).toMatchObject({ input_schema: null, output_schema: null });
  });

  test("are checked with validate_input, also in nested calls; the script's own goes first", async () => {
    await upload({ workflow_ref_name: "checked", script: SCRIPT, input_schema, validate_input: true });
    const refused = await service.invoke("checked", { input: { city: 1 } });
    expect(refused.status).toBe(400);
    expect(await errorOf(refused)).toMatchObject({ code: "invalid_input", message: "input/city: must be string" });
    expect((await service.invoke("checked", { input: { city: "Bonn" } })).status).toBe(200);
    const nested = `export const execute = async (ctx) => {
      try { await ctx.workflow.completions.create({ model: "workflow:checked", input: 1 }) } catch (error) { return error.code }
    };`;
    await upload({ workflow_ref_name: "nests", script: nested });
    expect(await outputOf("nests")).toBe("VALIDATION_ERROR");
    await upload({ workflow_ref_name: "checked", script: SCHEMED });
    expect((await service.invoke("checked", { input: { city: 1 } })).status).toBe(200);
  });

  test.each<[Json, string]>([
    [{ input_schema: { city: { type: "town" } } }, "input_schema.city.type: must be one of"],
    [{ output_schema: { type: "objekt" } }, "output_schema: "],
    [{ input_schema: { type: "object", title: "x".repeat(70_000) } }, "input_schema: must be at most 65536 bytes"],
    [{ transform_enabled: true }, "transform_enabled: transforms are not supported"],
    [{ transform_session: "def transform_session(s): return s" }, "transform_session: transforms are not supported"],
  ])("or transforms that cannot be used are refused: %#", async (fields, message) => {
    const [param] = Object.keys(fields);
    for (const response of [
      await upload({ workflow_ref_name: "refused", script: SCRIPT, ...fields }),
      await put("given", fields),
    ]) {
      expect(response.status).toBe(400);
      expect(await errorOf(response)).toMatchObject({ param, message: expect.stringContaining(message) });
    }
    expect((await service.send("/api/v1/workflows/refused")).status).toBe(404);
  });
});

describe("validate", () => {
  const validate = async (body: Json) => {
    const response = await service.post("/api/v1/workflows/validate", body);
    return { status: response.status, data: await dataOf(response) };
  };

  test.each(["execute", "schema", "bundle"])("takes kind %s and the schemas beside it", async (kind) => {
    const body = { code: SCRIPT, kind, input_schema: {}, output_schema: null };
    expect(await validate(body)).toEqual({ status: 200, data: { ok: true, errors: [] } });
  });

  test("says what is wrong with the schemas, and that there are no transforms", async () => {
    expect(await validate({ code: SCRIPT, output_schema: { city: { type: "town" } } })).toMatchObject({
      data: { ok: false, errors: [{ message: expect.stringContaining("outputSchema.city.type: must be one of") }] },
    });
    expect(await validate({ code: SCRIPT, kind: "transform" })).toMatchObject({
      data: { ok: false, errors: [{ message: expect.stringContaining("transforms are not supported") }] },
    });
  });

  test("answers 200 for a good script and for a bad one", async () => {
    expect(await validate({ code: SCRIPT, kind: "execute" })).toEqual({ status: 200, data: { ok: true, errors: [] } });
    expect(await validate({ code: "export const execute = (", entry: "a.ts" })).toMatchObject({
      status: 200,
      data: { ok: false, errors: [{ file: "a.ts", line: 1, message: expect.any(String) }] },
    });
  });

  test("stores nothing", async () => {
    const total = async () =>
      ((await (await service.send("/api/v1/workflows")).json()) as { pagination: { total: number } }).pagination.total;
    const before = await total();
    await validate({ code: SCRIPT });
    expect(await total()).toBe(before);
  });
});

test("the default script runs", async () => {
  const { script, language } = await dataOf(await service.send("/api/v1/workflows/default-script"));
  expect(language).toBe("typescript");
  expect((await upload({ workflow_ref_name: "template", script })).status).toBe(200);
  const response = await service.invoke("template", { input: { question: "Why?" } });
  expect(await response.json()).toMatchObject({ output: { answer: expect.stringContaining("Why?") } });
});
