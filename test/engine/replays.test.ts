import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../runtime/index.ts";
import { createReplays } from "../../src/engine/create-replays.ts";
import type { CheckResult } from "../../src/engine/replays.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { type FlakyHttp, startFlakyHttp } from "../support/flaky-http.ts";
import { untilStatus } from "./waiting.ts";

let core: TestCore;
/** Replays at this moment, the most there were, and their isolates' accounts. */
const seen = { now: 0, most: 0, accounts: new Set<string>() };

beforeAll(async () => {
  core = await startTestCore();
});
afterAll(() => core.close());

async function check(key: string, code: string): Promise<readonly CheckResult[]> {
  const { accountId } = core;
  const upload = { files: [{ path: "new.ts", text: code }], entry: "new.ts" };
  const results: CheckResult[] = [];
  for await (const result of replays().check({ accountId, key, upload, last: 10 })) results.push(result);
  return results;
}

const replays = once(() => {
  const { store, engine, runtime } = core;
  const run: typeof runtime.run = async (job, ...rest) => {
    seen.most = Math.max(seen.most, ++seen.now);
    seen.accounts.add(job.accountId);
    return runtime.run(job, ...rest).finally(() => seen.now--);
  };
  const accessories = { read: ({ hash }: { readonly hash: string }) => store.readBlob({ hash }) };
  const options = { store, engine, limits: DEFAULT_LIMITS, isolation: "frozen" } as const;
  const contents = accessories as unknown as Parameters<typeof createReplays>[0]["accessories"];
  return createReplays({ ...options, accessories: contents, profileOf: () => "fast", runtime: { ...runtime, run } });
});

function once<T>(make: () => T): () => T {
  let made: T | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

const TERMS = `export const execute = async (ctx) => (await ctx.load_accessory("terms")).a;`;

test("checks of an account replay one execution at a time, with its accessories, in its own isolates", async () => {
  const accessories = [{ key: "terms", filename: "terms.json", bytes: Buffer.from('{"a":7}') }];
  await core.deploy("terms", TERMS, { accessories });
  for (let n = 0; n < 3; n++) await core.run("terms", { input: n, cache: "no-store" });
  const all = await Promise.all([check("terms", TERMS), check("terms", TERMS)]);
  expect(all.flat().map(({ verdict }) => verdict.verdict)).toEqual(Array(6).fill("identical"));
  expect(seen.most).toBe(1);
  expect([...seen.accounts]).toEqual([core.accountId]);
});

test("code that cannot live with frozen intrinsics is replayed with others", async () => {
  await core.deploy("frozen", "export const execute = () => 1;");
  await core.run("frozen", { input: 1, cache: "no-store" });
  const patches = "Array.prototype.first = function () { return this[0]; };\nexport const execute = () => [1].first();";
  expect((await check("frozen", patches)).map(({ verdict }) => verdict)).toEqual([{ verdict: "identical" }]);
});

describe("a run that waits", () => {
  const HEAD = "export const execute = async (ctx) => { await ctx.http.get(ctx.input);";
  const both = (nap: string, name: string) =>
    `${HEAD} const [, event] = await Promise.all([ctx.sleep("${nap}"), ctx.waitFor("${name}", { timeout: "2h" })]); return event; }`;
  const OLD = both("1h", "paid");
  let upstream: FlakyHttp;
  beforeAll(async () => {
    upstream = await startFlakyHttp();
    await core.deploy("parked", OLD);
    const { executionId } = await core.invoke("parked", { input: `${upstream.url}/x`, mode: "background" });
    await untilStatus(core, executionId, "waiting", 1);
  });
  afterAll(() => upstream.close());

  const verdictOf = async (code: string) => (await check("parked", code))[0]?.verdict;

  test("is identical under code that waits for the same, whatever it does afterwards", async () => {
    expect(await verdictOf(OLD)).toEqual({ verdict: "identical" });
    expect(await verdictOf(OLD.replace("return event", "ctx.emit('x', 1); return [event]"))).toEqual({
      verdict: "identical",
    });
  });

  test("diverges at the first call that waits for something else", async () => {
    expect(await verdictOf(both("3h", "paid"))).toMatchObject({
      verdict: "diverges",
      position: 1,
      message: expect.stringContaining("other arguments"),
      recorded: { op: "sleep", args: expect.stringContaining("until") },
      replayed: { op: "sleep", args: expect.stringContaining("until") },
    });
    expect(await verdictOf(both("1h", "refunded"))).toMatchObject({
      verdict: "diverges",
      position: 2,
      recorded: { op: "waitFor", args: expect.stringContaining("paid") },
      replayed: { op: "waitFor", args: expect.stringContaining("refunded") },
    });
    const asks = `${HEAD} return ctx.approve({ title: "Now?" }); }`;
    expect(await verdictOf(asks)).toMatchObject({
      position: 1,
      message: expect.stringContaining("approve.request instead of sleep"),
    });
  });

  test("diverges at a call that it did not make, and at one that is no longer made", async () => {
    const more = OLD.replace('"2h" })]', '"2h" }), ctx.sleep("1h")]');
    expect(await verdictOf(more)).toMatchObject({ verdict: "diverges", position: 3, recorded: null });
    const fewer = `${HEAD} await ctx.sleep("1h"); return 1; }`;
    expect(await verdictOf(fewer)).toMatchObject({
      verdict: "diverges",
      position: 2,
      message: expect.stringContaining("no longer waits for waitFor"),
      recorded: { op: "waitFor" },
      replayed: null,
    });
  });

  test("differs in its end under code that waits for nothing", async () => {
    expect(await verdictOf(`${HEAD} return 1; }`)).toMatchObject({ verdict: "differs", part: "end" });
  });
});
