import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService({ WEFT_LIMIT_MAX_ACCESSORY_BYTES: "200000", WEFT_LIMIT_MAX_SCRIPT_BYTES: "50000" });
});
afterAll(() => service.close());

type Json = Readonly<Record<string, unknown>>;
const SCRIPT = "export const execute = (ctx) => ctx.env.REGION ?? null;";

const dataOf = async (response: Response) => ((await response.json()) as { data: Json }).data;
const errorOf = async (response: Response) => ((await response.json()) as { error: Json & { message: string } }).error;
const form = (
  parts: Readonly<Record<string, string | readonly [name: string, content: string | Uint8Array<ArrayBuffer>]>>,
) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    if (typeof value === "string") data.append(name, value);
    else data.append(name.replace(/#\d$/, ""), new Blob([value[1]]), value[0]);
  }
  return data;
};
const send = (body: FormData) => service.send("/api/v1/workflows/upload", { method: "POST", body });
const outputOf = async (ref: string, input: unknown = {}) =>
  ((await (await service.invoke(ref, { input })).json()) as { output: unknown }).output;

describe("upload as a form", () => {
  test.each(["script_file", "workflow_file", "file"])("takes the script as %s", async (part) => {
    const ref = part.replace("_", "-");
    const response = await send(form({ workflow_ref_name: ref, [part]: ["step.ts", SCRIPT] }));
    expect(await response.json()).toMatchObject({ data: { workflow_ref_name: ref, version_created: true } });
  });

  test("takes the script as text, scalar fields, more files and accessories", async () => {
    const response = await send(
      form({
        workflow_ref_name: "formed",
        script: `import { twice } from "./lib/twice.ts"; export const execute = async (ctx) => [twice(ctx.input), ctx.env, await ctx.accessories.text("a")];`,
        "files#1": ["lib/twice.ts", "export const twice = (n: number) => 2 * n;"],
        accessory_a: ["a.txt", "täxt"],
        env: `{"REGION":"eu"}`,
        timeout_seconds: "1.5",
        publish_version: "true",
      }),
    );
    expect(await response.json()).toMatchObject({ data: { version_created: true } });
    expect(await outputOf("formed", 2)).toEqual([4, { REGION: "eu" }, "täxt"]);
    expect(await dataOf(await service.send("/api/v1/workflows/formed"))).toMatchObject({ timeout_seconds: 1.5 });
  });

  test("takes the fields that clients of Maitai send", async () => {
    const response = await send(
      form({
        workflow_ref_name: "maitai",
        script: SCRIPT,
        application_id: "42",
        input_schema: '{"city":{"type":"string"}}',
        output_schema: "",
        transform_enabled: "false",
        transform_session: "",
        allow_inproc_nesting: "true",
        inproc_nested_refs: "[]",
      }),
    );
    expect(await response.json()).toMatchObject({ data: { version_created: true } });
  });

  test("errors name the uploaded file", async () => {
    const response = await send(
      form({ workflow_ref_name: "bad", script_file: ["flows/bad.ts", "export const execute = ("] }),
    );
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ details: [{ file: "flows/bad.ts", line: 1 }] });
  });

  test.each<[string, FormData, string]>([
    ["without a script", form({ workflow_ref_name: "x" }), "script_file"],
    ["without a name", form({ script: SCRIPT }), "workflow_ref_name"],
    ["with two scripts", form({ workflow_ref_name: "x", script: SCRIPT, file: ["a.ts", SCRIPT] }), "script_file"],
    ["with an unknown part", form({ workflow_ref_name: "x", script: SCRIPT, other: "1" }), "other"],
    [
      "with a wrong number",
      form({ workflow_ref_name: "x", script: SCRIPT, timeout_seconds: "soon" }),
      "timeout_seconds",
    ],
    ["with a wrong flag", form({ workflow_ref_name: "x", script: SCRIPT, publish_version: "yes" }), "publish_version"],
    ["with broken JSON", form({ workflow_ref_name: "x", script: SCRIPT, env: "{" }), "env"],
    ["with a script that is not text", form({ workflow_ref_name: "x", file: ["a.ts", Uint8Array.of(255)] }), "file"],
    [
      "with an accessory that is no file",
      form({ workflow_ref_name: "x", script: SCRIPT, accessory_a: "1" }),
      "accessory_a",
    ],
  ])("%s is refused", async (_name, body, param) => {
    const response = await send(body);
    expect(response.status).toBe(400);
    const error = await errorOf(response);
    expect(error).toMatchObject({ param });
    expect(error.message).toContain(param);
  });

  test("files over their limits are 413 and name part and limit", async () => {
    const accessory = await send(
      form({ workflow_ref_name: "x", script: SCRIPT, accessory_big: ["b.bin", new Uint8Array(300_000)] }),
    );
    expect(accessory.status).toBe(413);
    expect((await errorOf(accessory)).message).toBe("accessory_big: over 200000 bytes (maxAccessoryBytes)");
    const script = await send(form({ workflow_ref_name: "x", script_file: ["b.ts", " ".repeat(60_000)] }));
    expect(script.status).toBe(413);
    expect((await errorOf(script)).message).toContain("maxScriptBytes");
  });

  test("an accessory of just the limit is taken; what is refused leaves nothing on the disk", async () => {
    const waiting = () => readdirSync(join(service.dataDir, "files", "incoming"));
    const most = { accessory_most: ["b.bin", new Uint8Array(200_000)] } as const;
    const taken = await send(form({ workflow_ref_name: "most", script: SCRIPT, ...most }));
    expect([taken.status, await dataOf(await service.send("/api/v1/workflows/most/versions"))]).toEqual([
      200,
      [expect.objectContaining({ accessories: [expect.objectContaining({ key: "most", bytes: 200_000 })] })],
    ]);
    for (const body of [
      form({ workflow_ref_name: "x", script: "export const nothing = 1;", ...most }),
      form({ workflow_ref_name: "x", ...most }),
      form({ workflow_ref_name: "x", script: SCRIPT, ...most, other: "1" }),
      form({ workflow_ref_name: "x", script: SCRIPT, ...most, accessory_big: ["b", new Uint8Array(200_001)] }),
    ])
      expect((await send(body)).status).toBeGreaterThanOrEqual(400);
    await until(() => waiting().length === 0);
  });

  test("takes accessories away by their keys", async () => {
    const files = { accessory_a: ["a", "1"], accessory_b: ["b", "2"] } as const;
    await send(form({ workflow_ref_name: "less", script: SCRIPT, ...files }));
    await send(form({ workflow_ref_name: "less", script: SCRIPT, remove_accessories: '["a"]' }));
    const versions = (await dataOf(
      await service.send("/api/v1/workflows/less/versions"),
    )) as unknown as readonly Json[];
    const keysOf = (version: Json) => (version["accessories"] as readonly Json[]).map(({ key }) => key);
    expect(versions.map(keysOf)).toEqual([["b"], ["a", "b"]]);
  });

  test("a body that is not the form it says to be is 400", async () => {
    const response = await service.send("/api/v1/workflows/upload", {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=x" },
      body: "--y nonsense",
    });
    expect(response.status).toBe(400);
  });
});

describe("an upload's content type", () => {
  const post = (headers: Readonly<Record<string, string>>, body?: string) =>
    service.send("/api/v1/workflows/upload", {
      method: "POST",
      headers,
      ...(body === undefined ? {} : { body: new TextEncoder().encode(body) }),
    });
  const wrong = JSON.stringify({ workflow_ref_name: "typed", script: 5 });

  test.each(["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;x=y"])(
    "%s is checked",
    async (type) => {
      expect((await post({ "content-type": type }, wrong)).status).toBe(400);
      const right = JSON.stringify({ workflow_ref_name: "typed", script: SCRIPT });
      expect((await post({ "content-type": type }, right)).status).toBe(200);
    },
  );

  test("anything else is refused", async () => {
    expect((await post({})).status).toBe(400);
    expect((await post({}, wrong)).status).toBe(415);
    expect((await post({ "content-type": "application/jsonp" }, wrong)).status).toBe(415);
    expect((await post({ "content-type": "application/json" })).status).toBe(400);
  });
});
