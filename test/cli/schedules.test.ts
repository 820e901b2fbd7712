import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";
import { weft } from "./capture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.workflows.deploy({
    accountId: server.accountId,
    ref: "report",
    upload: { files: [{ path: "report.ts", text: "export const execute = (ctx) => ctx.input;" }] },
    settings: {},
    accessories: [],
    publish: true,
    bump: "minor",
    notes: "",
  });
});
afterAll(() => server.close());

const cli = (...args: readonly string[]) =>
  weft(["schedules", ...args], { env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey } });

test("schedules are created, listed, paused, resumed, run and deleted", async () => {
  expect(await cli()).toMatchObject({ code: 0, out: "", err: expect.stringContaining("no schedules yet") });
  const rule = ["--cron", "0 7 * * 1-5", "--timezone", "Europe/Berlin", "--name", "daily", "--input", '{"n":1}'];
  const made = await cli(
    "create",
    "report",
    ...rule,
    "--catch-up",
    "one",
    "--overlap",
    "queue",
    "--end-at",
    "2099-01-01",
  );
  expect(made.code).toBe(0);
  expect(made.err.match(/next \d{4}-/g)).toHaveLength(5);
  const id = made.out.trim();
  const listed = await cli("list", "report");
  expect(listed.out).toMatch(/^id +workflow\/name +cron +time zone +next run\n/);
  expect(listed.out).toContain(`${id}  report/daily   0 7 * * 1-5  Europe/Berlin  20`);
  const [shown] = JSON.parse((await cli("--json")).out);
  expect(shown).toMatchObject({ id, catch_up: "one", overlap: "queue", input: { n: 1 } });
  expect((await cli("pause", id)).out).toBe(`✓ ${id} is paused\n`);
  expect((await cli()).out).toContain("  paused\n");
  expect((await cli("resume", id)).out).toBe(`✓ ${id} is resumed\n`);
  expect((await cli("run", id)).out).toMatch(/^exec_[0-9a-f]{32}\n$/);
  expect((await cli("delete", id)).out).toBe(`✓ ${id} is deleted\n`);
  expect(await cli("pause", id)).toMatchObject({ code: 4, err: expect.stringContaining(id) });
});

test("a wrong command line exits with 2, a refused rule with 1", async () => {
  expect(await cli("nope")).toMatchObject({ code: 2, err: expect.stringContaining("action: must be one of list") });
  expect(await cli("pause")).toMatchObject({ code: 2, err: expect.stringContaining("needs a schedule's id") });
  expect(await cli("create", "report")).toMatchObject({ code: 2, err: expect.stringContaining("--cron") });
  expect(await cli("create", "report", "--cron", "nope")).toMatchObject({
    code: 1,
    err: expect.stringContaining("cron: must be"),
  });
});
