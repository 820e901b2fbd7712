import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { weft } from "./capture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  for (const [ref, body] of [
    ["event", `(await ctx.waitFor("paid")).data`],
    ["ask", `ctx.approve({ title: "Refund?", timeout: "1h" })`],
    ["twice", `Promise.all([ctx.approve({ title: "One?" }), ctx.approve({ title: "Two?" })])`],
  ] as const) {
    await server.workflows.deploy({
      accountId: server.accountId,
      ref,
      upload: { files: [{ path: `${ref}.ts`, text: `export const execute = async (ctx) => ${body};` }] },
      settings: {},
      accessories: [],
      publish: true,
      bump: "minor",
      notes: "",
    });
  }
});
afterAll(() => server.close());

const cli = (...args: readonly string[]) => weft(args, { env: { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey } });

/** Starts a run; resolves to its id once it has that many open waits. */
async function waiter(ref: string, waits: number): Promise<string> {
  const id = (await cli("run", ref, "--background")).out.trim();
  const look = async () => {
    const response = await fetch(`${server.url}/api/v1/runs/${id}`, {
      headers: { authorization: `Bearer ${server.apiKey}` },
    });
    return ((await response.json()) as { readonly data: { readonly waiting_for: readonly unknown[] } }).data;
  };
  await until(look, ({ waiting_for: open }) => open.length === waits);
  return id;
}

test("events send reaches a run that waits, once per id", async () => {
  const run = await waiter("event", 1);
  const args = ["events", "send", "paid", "--data", '{"n":1}', "--run", run, "--id", "mine"];
  expect(await cli(...args)).toMatchObject({ code: 0, out: "mine\n", err: expect.stringContaining("reached 1 runs") });
  expect(await cli(...args)).toMatchObject({ code: 0, err: expect.stringContaining("(sent before)") });
  const shared = await cli("events", "send", "paid", "--ttl", "60", "--json");
  expect(JSON.parse(shared.out)).toMatchObject({ object: "event", reached: 0, id: expect.stringMatching(/^evt_/) });
});

test("approvals lists what approve decides, by question or by run", async () => {
  expect(await cli("approvals")).toMatchObject({ code: 0, err: expect.stringContaining("Nothing waits") });
  const run = await waiter("ask", 1);
  const listed = await cli("approvals");
  expect(listed.out).toMatch(/^id +workflow +title +asked +execution\napr_[0-9a-f]{32} +ask +Refund\? +20/);
  expect(JSON.parse((await cli("approvals", "--json")).out)).toMatchObject([{ run, status: "open" }]);
  expect(await cli("approve", run, "--comment", "fine")).toMatchObject({ code: 0, out: "✓ approved Refund?\n" });
  expect(await cli("approve", run)).toMatchObject({ code: 4, err: expect.stringContaining("no open question") });

  const second = await waiter("twice", 2);
  const both = JSON.parse((await cli("approvals", "--json")).out) as readonly { readonly id: string }[];
  expect(await cli("approve", second)).toMatchObject({ code: 2, err: expect.stringContaining("2 open questions") });
  const rejected = await cli("approve", both[0]?.id ?? "", "--reject", "--json");
  expect(JSON.parse(rejected.out)).toMatchObject({
    decision: { approved: false, by: expect.stringContaining("owner") },
  });
});

test("a wrong command line exits with 2", async () => {
  expect(await cli("events", "list", "x")).toMatchObject({ code: 2, err: expect.stringContaining("must be send") });
  expect(await cli("events", "send", "x", "--data", "{")).toMatchObject({
    code: 2,
    err: expect.stringContaining("--data"),
  });
  expect(await cli("events", "send", "x", "--ttl", "soon")).toMatchObject({
    code: 2,
    err: expect.stringContaining("--ttl"),
  });
});
