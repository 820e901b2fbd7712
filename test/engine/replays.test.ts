import { afterAll, beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../runtime/index.ts";
import { createReplays } from "../../src/engine/create-replays.ts";
import type { CheckResult } from "../../src/engine/replays.ts";
import { startTestCore, type TestCore } from "../support/core.ts";

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
  const options = { store, engine, limits: DEFAULT_LIMITS, isolation: "frozen" } as const;
  return createReplays({ ...options, profileOf: () => "fast", runtime: { ...runtime, run } });
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
