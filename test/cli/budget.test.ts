import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { weft } from "./capture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.workflows.deploy({
    accountId: server.accountId,
    ref: "thrifty",
    upload: {
      files: [
        {
          path: "thrifty.ts",
          text: `export const config = { budget: { usd: 1, calls: 1 } };
          export const execute = async (ctx) => {
            for (const content of ["a", "b"]) await ctx.chat.completions.create({ messages: [{ role: "user", content }] });
            return "done";
          };`,
        },
      ],
    },
    settings: {},
    accessories: [],
    publish: true,
    bump: "minor",
    notes: "",
  });
});
afterAll(() => server.close());

const cli = (...args: readonly string[]) => weft(args, { env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey } });
const json = async (...args: readonly string[]) => JSON.parse((await cli(...args, "--json")).out);

test("budget shows, sets, raises and removes daily pools", async () => {
  expect(await cli("budget")).toMatchObject({ code: 0, err: expect.stringContaining("There is no daily pool") });
  expect(await cli("budget", "set", "account", "--usd", "2.5", "--calls", "9")).toMatchObject({
    code: 0,
    out: expect.stringMatching(/account \(today\) +usd +\$2.5 +\$0 +\$0 +\$2.5/),
  });
  expect(await json("budget", "set", "owner", "--calls", "5")).toMatchObject({
    keys: { owner: { limits: { calls: 5 } } },
  });
  const add = ["budget", "add", "account", "--calls", "1", "--idempotency-key", "x"];
  await json(...add);
  expect(await json(...add)).toMatchObject({ account: { limits: { calls: 10 } } });
  expect(await json("budget", "set", "account", "--off")).toMatchObject({ account: null });
  await cli("budget", "set", "owner", "--off");
});

test("budget add lets a run go on that waits", async () => {
  const failed = await cli("run", "thrifty");
  expect(failed).toMatchObject({ code: 1, err: expect.stringContaining("weft budget add exec_") });
  const id = /weft budget add (exec_[0-9a-f]{32})/.exec(failed.err)?.[1] ?? "";
  expect(await cli("budget", "show", id)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/calls +1 +1 +0 +0/),
    err: expect.stringContaining("It waits"),
  });
  expect((await cli("show", id)).out).toContain(`used up: 1 of 1 (budget.calls); weft budget add ${id}`);
  expect(await json("budget", "add", id, "--calls", "1", "--usd", "0.5")).toMatchObject({
    limits: { calls: 2, usd: 1.5 },
  });
  await until(async () => (await json("show", id)).status === "completed");
});

test("run takes a budget, and amounts are checked", async () => {
  expect(await cli("run", "thrifty", "--budget", "calls=0")).toMatchObject({ err: expect.stringContaining("of 0 in") });
  for (const args of [
    ["run", "thrifty", "--budget", "euro=1"],
    ["run", "thrifty", "--budget", "usd=much"],
    ["budget", "set", "account"],
    ["budget", "set", "account", "--usd", "-1"],
    ["budget", "set", "exec_0123456789abcdef0123456789abcdef", "--usd", "1"],
    ["budget", "spend"],
  ])
    expect([args, (await cli(...args)).code]).toEqual([args, 2]);
});
