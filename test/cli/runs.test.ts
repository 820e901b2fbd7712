import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Service, startService } from "../http/service.ts";
import { until } from "../support/until.ts";
import { type CaptureOptions, weft } from "./capture.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.deploy("leaf", "export const execute = (ctx) => ctx.input;");
  await service.deploy(
    "tree",
    `export async function execute(ctx) {
      ctx.log("begin", { n: ctx.input.n });
      const { output } = await ctx.workflow.completions.create({ model: "workflow:leaf", input: ctx.input.n });
      await ctx.chat.completions.create({ messages: [{ role: "user", content: "hi" }] });
      return { output };
    }`,
  );
  await service.deploy("fails", `export const execute = () => {\n  throw new Error("no luck");\n};`);
  await service.deploy("naps", `export const execute = (ctx) => ctx.sleep("1h");`);
});
afterAll(() => service.close());

const cli = (args: readonly string[], options: CaptureOptions = {}) =>
  weft(args, { ...options, env: { WEFT_URL: service.url, WEFT_API_KEY: service.apiKey } });
const call = async (ref: string, body: Readonly<Record<string, unknown>> = {}) =>
  (await service.invoke(ref, { input: { n: 4 }, no_cache: true, ...body })).headers.get("x-weft-execution-id") ?? "";

describe("runs", () => {
  test("lists executions as a table or as JSON, filtered", async () => {
    const ids = [await call("tree", { metadata: { tenant: "a" } }), await call("fails")];
    const { code, out } = await cli(["runs", "--workflow", "tree"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^execution +workflow +status +created +took +tokens +cost/);
    expect(out).toContain(`${ids[0]}  tree@1.0.0  completed`);
    const json = async (...args: string[]) =>
      (JSON.parse((await cli(["runs", "--json", ...args])).out) as { id: string }[]).map((run) => run.id);
    expect(await json("--metadata", "tenant=a")).toEqual([ids[0]]);
    expect(await json("--status", "failed", "--error", "EXECUTION_FAILED")).toEqual([ids[1]]);
    expect(await json("--mode", "sync", "--limit", "1")).toEqual([ids[1]]);
    expect(await json("--parent", ids[0] ?? "")).toHaveLength(1);
    expect((await cli(["runs", "--created-after", "2099-01-01"])).err).toBe("There are no such runs.\n");
    expect(await cli(["runs", "--limit", "none"])).toMatchObject({ code: 2 });
    expect(await cli(["runs", "--status", "odd"])).toMatchObject({ code: 1, err: expect.stringContaining("status:") });
  });
});

describe("show", () => {
  test("prints facts, input and output, and where a script failed", async () => {
    const { out } = await cli(["show", await call("tree")]);
    expect(out).toMatch(/^status +completed$/m);
    expect(out).toMatch(/^times +queued .* running .* waiting 0 ms$/m);
    expect(out).toContain(`\ninput\n{\n  "n": 4\n}`);
    expect(out).toContain(`\noutput\n{\n  "output": 4\n}`);
    const failed = await cli(["show", await call("fails")]);
    expect(failed.out).toMatch(/^status +failed: no luck$/m);
    expect(failed.out).toContain("fails.ts:2");
    expect(JSON.parse((await cli(["show", "--json", await call("leaf")])).out)).toMatchObject({ status: "completed" });
    expect((await cli(["show", "exec_00000000000000000000000000000000"])).code).toBe(4);
  });
});

describe("trace", () => {
  test("draws the calls in the order in which they began", async () => {
    const id = await call("tree");
    const { code, out, err } = await cli(["trace", id]);
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^# +call +time +at +took +tokens +cost/);
    expect(lines[1]).toMatch(/^0 +workflow\.completions\.create +#+ +0 ms .* exec_[0-9a-f]{32}$/);
    expect(lines[2]).toMatch(/^1 +chat\.completions\.create echo +#+ /);
    expect(err).toContain("completed");
    const spans = JSON.parse((await cli(["trace", id, "--json"])).out) as { name: string }[];
    expect(spans).toHaveLength(2);
    expect((await cli(["trace", await call("leaf")])).err).toContain("It made no calls that had to be recorded.");
  });
});

describe("tail", () => {
  test("follows one execution to its end", async () => {
    const { code, out } = await cli(["tail", await call("tree")]);
    expect(code).toBe(0);
    expect(out).toContain('begin {"n":4}');
    expect(out).toContain("chat.completions.create");
    expect(out.trimEnd().endsWith("completed")).toBe(true);
    const json = (await cli(["tail", await call("leaf"), "--json"])).out.trimEnd().split("\n");
    expect(JSON.parse(json.at(-1) ?? "")).toMatchObject({ event: "status", data: { status: "completed" } });
  });

  test("follows all executions of a workflow until it is stopped", async () => {
    const ending = new AbortController();
    let seen = "";
    const options: CaptureOptions = {
      signal: ending.signal,
      onWrite: (text) => {
        seen += text;
        if (seen.includes("completed")) ending.abort();
      },
    };
    const tailing = cli(["tail", "tree"], options);
    const calls = setInterval(() => void call("tree").catch(() => undefined), 200);
    void call("leaf");
    const { code, out } = await tailing;
    clearInterval(calls);
    expect(code).toBe(130);
    expect(out).toMatch(/completed +exec_[0-9a-f]{32} tree/);
    expect(out).not.toContain(" leaf");
  });
});

describe("cancel and delete-run", () => {
  test("stop a waiting execution and remove it", async () => {
    const id = await call("naps", { background: true });
    await until(async () => (await cli(["show", id, "--json"])).out.includes('"waiting"'));
    expect(await cli(["cancel", id])).toMatchObject({ code: 0, out: "cancelled\n" });
    expect(await cli(["delete-run", id])).toMatchObject({ code: 0, out: `✓ ${id} is gone\n` });
    expect((await cli(["cancel", id])).code).toBe(4);
  });
});
