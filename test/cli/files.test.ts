import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";
import { weft } from "./capture.ts";

let server: TestServer;
let cwd = "";
beforeAll(async () => {
  server = await startTestServer({ WEFT_LIMIT_MAX_FILE_BYTES: "1000000" });
  cwd = mkdtempSync(join(tmpdir(), "weft-cli-"));
});
afterAll(async () => {
  await server.close();
  rmSync(cwd, { recursive: true, force: true });
});

const cli = (...args: readonly string[]) =>
  weft(["files", ...args], { cwd, env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey } });

async function put(name: string, content: string | Uint8Array, ...flags: readonly string[]): Promise<string> {
  writeFileSync(join(cwd, name), content);
  const { code, out, err } = await cli("put", name, ...flags);
  expect([code, err]).toEqual([0, expect.stringMatching(/[KM]iB/)]);
  return out.trim();
}

test("files are uploaded, listed, shown, fetched and deleted", async () => {
  expect(await cli()).toMatchObject({ code: 0, out: "", err: expect.stringContaining("no files") });
  const content = Buffer.alloc(900_000, "0123456789");
  const id = await put("orders.csv", content, "--type", "text/csv", "--name", "../räw orders.csv");
  expect(id).toMatch(/^file_[0-9a-f]{32}$/);
  expect((await cli("list")).out).toMatch(new RegExp(`^${id} +878.9 KiB|^${id} +0.9 MiB`, "m"));
  expect(JSON.parse((await cli("show", id)).out)).toMatchObject({ name: "räw orders.csv", content_type: "text/csv" });
  expect(await cli("get", id)).toMatchObject({ code: 0, out: expect.stringContaining("räw orders.csv") });
  expect(readFileSync(join(cwd, "räw orders.csv")).equals(content)).toBe(true);
  expect(await cli("get", id)).toMatchObject({ code: 2, err: expect.stringContaining("is there already") });
  expect(JSON.parse((await cli("get", id, "--output", "other", "--json")).out)).toEqual({
    file: "other",
    bytes: 900_000,
  });
  expect((await cli("get", id, "--output", "-")).out).toBe(content.toString());
  expect(await cli("delete", id)).toMatchObject({ code: 0 });
  expect((await cli("show", id)).code).toBe(4);
  expect((await cli("get", id, "--output", "gone")).code).toBe(4);
});

test("what a run wrote is listed for it, and a link to it needs no key", async () => {
  await server.workflows.deploy({
    accountId: server.accountId,
    ref: "writer",
    upload: {
      files: [{ path: "w.ts", text: "export const execute = (ctx) => ctx.files.write('out.txt', 'written');" }],
    },
    settings: {},
    accessories: [],
    publish: true,
    bump: "minor",
    notes: "",
  });
  const env = { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey };
  const run = JSON.parse((await weft(["run", "writer", "--json"], { cwd, env })).out) as { output: { id: string } };
  const [execution] = JSON.parse((await weft(["runs", "--json"], { cwd, env })).out) as readonly [{ id: string }];
  const listed = JSON.parse((await cli("list", "--run", execution.id, "--json")).out);
  expect(listed).toMatchObject([{ id: run.output.id, name: "out.txt", run: execution.id }]);
  const url = (await cli("url", run.output.id, "--expires", "60")).out.trim();
  expect(await (await fetch(url)).text()).toBe("written");
  expect(JSON.parse((await cli("url", run.output.id, "--json")).out)).toMatchObject({ expires_in: 3_600 });
});

test.each([
  [["nonsense"], 2, "action: must be one of"],
  [["put"], 2, "put: needs a file"],
  [["get"], 2, "get: needs a file's id"],
  [["put", "nowhere.txt"], 2, "nowhere.txt: cannot be read"],
  [["url", "file_0", "--expires", "soon"], 2, "--expires: must be a number of seconds"],
  [["show", "file_00000000000000000000000000000000"], 4, "File not found"],
])("weft files %j exits with %i", async (args, code, message) => {
  const { code: found, err } = await cli(...args);
  expect([found, err]).toEqual([code, expect.stringContaining(message)]);
});

test("a file over the server's limit is refused, naming it", async () => {
  writeFileSync(join(cwd, "large"), Buffer.alloc(3_000_000));
  const { code, err } = await cli("put", "large");
  expect([code, err]).toEqual([1, expect.stringContaining("maxFileBytes")]);
});
