import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";
import { type Captured, weft } from "./capture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await writeFile(join(server.dataDir, "helper.json"), JSON.stringify({ name: "helper", system_prompt: "Help." }));
});
afterAll(() => server.close());

const run = (...args: readonly string[]): Promise<Captured> =>
  weft(["agents", ...args], {
    cwd: server.dataDir,
    env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey },
  });

test("agents are put, listed, shown, asked, set back and deleted", async () => {
  expect(await run()).toMatchObject({ code: 0, err: expect.stringContaining("There are no agents yet") });
  expect((await run("put", "helper.json")).out).toContain("helper is now at version 1");
  expect((await run("put", "helper.json")).out).toContain("helper was already at version 1");
  await writeFile(join(server.dataDir, "helper.json"), JSON.stringify({ name: "helper", system_prompt: "Help more." }));
  expect((await run("put", "helper.json")).out).toContain("helper is now at version 2");
  expect((await run("list")).out).toMatch(/helper\s+2\s+default\s+0/);
  expect(JSON.parse((await run("show", "helper")).out)).toMatchObject({ name: "helper", system_prompt: "Help more." });
  expect((await run("versions", "helper")).out.trim().split("\n")).toHaveLength(3);
  expect((await run("activate", "helper", "1")).out).toContain("helper is at version 1");
  expect((await run("run", "helper", "hello there")).out).toContain("hello there");
  expect((await run("run", "helper", "hello there", "--stream")).out).toContain("hello there");
  expect(JSON.parse((await run("run", "helper", "hello there", "--json")).out)).toMatchObject({ model: "helper" });
  expect((await run("delete", "helper")).out).toContain("helper is deleted");
});

test("what is missing or unknown is said", async () => {
  expect(await run("odd")).toMatchObject({
    code: 2,
    err: expect.stringContaining("action: must be one of list, show"),
  });
  expect(await run("run", "helper")).toMatchObject({
    code: 2,
    err: expect.stringContaining("run: needs the agent and a message"),
  });
  expect(await run("put", "missing.json")).toMatchObject({
    code: 2,
    err: expect.stringContaining("missing.json cannot be read"),
  });
  expect((await run("show", "nobody")).err).toContain("Agent not found: nobody");
});
