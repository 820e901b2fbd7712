import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Service, startService } from "../../service.ts";

interface List {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly pagination: { readonly total: number | null; readonly next_cursor: string | null };
}

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.deploy("one", "export const execute = (ctx) => ctx.input;");
  await service.deploy("two", `export const execute = () => { throw new WorkflowError("no", { code: "mine" }); };`);
  for (const n of [1, 2, 3]) {
    await service.invoke("one", { input: n, session_id: `s${n}`, metadata: { tenant: "a", n }, no_cache: true });
  }
  await service.invoke("two", { input: 1 });
});
afterAll(() => service.close());

const get = (query: string, path = "/api/v1/runs") => service.send(`${path}?${query}`);
const list = async (query: string, path?: string) => (await (await get(query, path)).json()) as List;
const refsOf = ({ data }: List) => data.map((run) => `${run["workflow_ref_name"]}/${run["session_id"]}`);

test("all runs of the account are listed, newest first, with the numbers of their versions", async () => {
  const { data, pagination } = await list("");
  expect(data.map((run) => [run["workflow_ref_name"], run["version"]])).toEqual([
    ["two", "1.0.0"],
    ["one", "1.0.0"],
    ["one", "1.0.0"],
    ["one", "1.0.0"],
  ]);
  expect(pagination).toEqual({ total: 4, offset: 0, limit: 25, next_cursor: null });
});

describe("filters", () => {
  const today = new Date().toISOString().slice(0, 10);
  test.each([
    ["workflow=one&session_id=s2", ["one/s2"]],
    ["session_id=s2&status=failed", []],
    ["metadata.n=3", ["one/s3"]],
    ["metadata.tenant=a&metadata.n=1", ["one/s1"]],
    ["workflow=one&status=queued,completed&limit=1", ["one/s3"]],
    [`workflow=one&created_after=${today}&created_before=9999999999&limit=1`, ["one/s3"]],
    ["workflow=one&finished_after=2020-01-01T00:00:00Z&limit=2", ["one/s3", "one/s2"]],
    ["created_after=9999999999.5", []],
    ["workflow=one&min_cost=0.01", []],
    ["workflow=one&max_cost=0&mode=sync&cached=false&limit=1", ["one/s3"]],
    ["parent_run=exec_00000000000000000000000000000000", []],
  ])("%s", async (query, expected) => {
    expect(refsOf(await list(query))).toEqual(expected);
  });

  test.each(["EXECUTION_FAILED", "mine", "workflow_execution_error"])("error_code=%s", async (code) => {
    expect((await list(`error_code=${code}`)).data.map((run) => run["workflow_ref_name"])).toEqual(["two"]);
  });

  test("several statuses may be repeated parameters", async () => {
    expect((await list("status=failed&status=completed")).pagination.total).toBe(4);
  });

  test.each([
    ["status=odd", /^status: must be one or several of queued, .*, got "odd"$/],
    ["created_after=yesterday", /^created_after: must be ISO 8601.*, got "yesterday"$/],
    ["min_cost=-1", /^min_cost: must be an amount in USD/],
    ["mode=odd", /^mode: must be one of /],
    ["parent_run=odd", /^parent_run: must be the id of a run/],
    ["cached=maybe", /cached/],
    ["cursor=a&cursor=b", /cursor/],
    ["wrokflow=one", /wrokflow/],
    [`session_id=${"s".repeat(1_001)}`, /^session_id: 1001 characters, over 1000$/],
    [Array.from({ length: 17 }, (_, n) => `metadata.k${n}=1`).join("&"), /^metadata: 17 members, over 16$/],
    ["cursor=eyJ", /^cursor: is not one that this list gave/],
    ["offset=200000", /^offset: 200000 is over 100000/],
    ["offset=1&mode=sync", /^offset: works with workflow, status and created_\* only/],
  ])("%s is 400 and says why", async (query, message) => {
    const response = await get(query);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringMatching(message) } });
  });

  test("an unknown workflow is 404", async () => {
    expect((await get("workflow=nowhere")).status).toBe(404);
  });
});

describe("cursors", () => {
  test("lead through the list without gaps", async () => {
    const seen: string[] = [];
    let cursor = "";
    do {
      const page = await list(`workflow=one&limit=1${cursor}`);
      seen.push(...refsOf(page));
      cursor = page.pagination.next_cursor === null ? "" : `&cursor=${page.pagination.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(["one/s3", "one/s2", "one/s1"]);
  });

  test("are refused when they were changed, or come from another list", async () => {
    const { next_cursor: cursor } = (await list("limit=1")).pagination;
    const [place = "", mark = ""] = (cursor ?? "").split(".");
    const moved = Buffer.from(Buffer.from(place, "base64url").toString().replace("[1", "[2")).toString("base64url");
    expect((await get(`limit=1&cursor=${cursor}`)).status).toBe(200);
    for (const query of [
      `cursor=${moved}.${mark}`,
      `cursor=${place}.${mark.slice(1)}A`,
      `cursor=${cursor}&status=failed`,
      `workflow=one&cursor=${cursor}`,
      `cursor=${cursor}&offset=1`,
    ]) {
      expect((await get(query)).status).toBe(400);
    }
  });
});
