import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { weft } from "./capture.ts";

let asked: string[] = [];
let total = 0;
const server = createServer((request, response) => {
  asked.push(request.url ?? "");
  const { searchParams } = new URL(request.url ?? "", "http://localhost");
  const from = Number(searchParams.get("offset") ?? searchParams.get("from"));
  const limit = Number(searchParams.get("limit"));
  const data = Array.from({ length: Math.max(0, Math.min(limit, total - from)) }, (_, i) => ({ id: from + i }));
  response.end(JSON.stringify({ data, pagination: { total } }));
});
let url = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function idsOf(args: readonly string[]): Promise<readonly unknown[]> {
  const { code, out } = await weft([...args, "--json"], { env: { WEFT_URL: url, WEFT_API_KEY: "key" } });
  expect(code).toBe(0);
  return (JSON.parse(out) as readonly { readonly id: number }[]).map(({ id }) => id);
}

test.each([
  [["accounts"]],
  [["agents"]],
  [["agents", "versions", "a"]],
  [["approvals"]],
  [["datastores"]],
  [["schedules"]],
  [["schedules", "list", "a"]],
])("%j reads page after page until one is not full", async (args) => {
  for (total of [0, 100, 250]) {
    expect(await idsOf(args)).toEqual(Array.from({ length: total }, (_, i) => i));
    expect(asked).toHaveLength(Math.floor(total / 100) + 1);
    asked = [];
  }
});

test("what narrows a list is asked on every page", async () => {
  total = 150;
  await idsOf(["schedules", "list", "a&b"]);
  expect(asked.map((path) => new URL(path, url).searchParams.get("workflow"))).toEqual(["a&b", "a&b"]);
});

test("logs are read from an index on, in pages of their own", async () => {
  total = 600;
  const { code, out } = await weft(["logs", "exec_0", "--json"], { env: { WEFT_URL: url, WEFT_API_KEY: "key" } });
  expect(code).toBe(0);
  expect(out.trim().split("\n")).toHaveLength(total);
  const pages = asked.map((path) => new URL(path, url)).filter(({ pathname }) => pathname.endsWith("exec_0/logs"));
  const asPage = ({ searchParams }: URL) => ({ from: searchParams.get("from"), limit: searchParams.get("limit") });
  expect(pages.map(asPage)).toEqual([
    { from: "0", limit: "500" },
    { from: "500", limit: "500" },
  ]);
});
