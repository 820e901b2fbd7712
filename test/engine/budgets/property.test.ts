import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Balance } from "../../../src/store/store.ts";
import { createRandom } from "../../crash/random.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { type DataDir, makeDataDir } from "../../support/data-dir.ts";
import { type ModelStub, startModelStub } from "../../support/model-stub.ts";
import { until } from "../../support/until.ts";
import { spending, writeModels } from "./spending-core.ts";

/** WEFT_BUDGET_SEED repeats a run, as far as timing allows; WEFT_BUDGET_LIVES makes it longer. */
const seed = Number(process.env["WEFT_BUDGET_SEED"] ?? Date.now() % 1_000_000);
const lives = Number(process.env["WEFT_BUDGET_LIVES"] ?? 2);
const random = createRandom(seed);
const LIFE_MS = 20_000;

let dir: DataDir;
let stub: ModelStub;
beforeAll(async () => {
  dir = await makeDataDir();
  stub = await startModelStub();
  stub.always(() => {
    const fate = random.next();
    if (fate < 0.1) return { status: 500, headers: { "retry-after": "0" } };
    if (fate < 0.2) return { cut: random.chance(0.5) ? "before" : 2, delayMs: random.between(0, 20) };
    // Never more than what was asked for: 20 tokens of answer, and less of the prompt than it has bytes.
    const tokens = { promptTokens: random.between(1, 100), completionTokens: random.between(1, 20) };
    return { ...tokens, delayMs: random.between(0, 40), chunkDelayMs: random.between(0, 5) };
  });
});
afterAll(async () => {
  await stub.close();
  await dir.remove();
});

const TRY =
  "const tried = (promise) => promise.then(() => 1, (error) => { if (error.code !== 'UPSTREAM_FAILED') throw error; return 0; });";
const SCRIPTS: Readonly<Record<string, string>> = {
  fan: spending(
    { calls: 6 },
    `${TRY} return (await Promise.all(Array.from({ length: 9 }, (_, n) => tried(ask("f" + n))))).length;`,
  ),
  chain: spending({ tokens: 700 }, `${TRY} let n = 0; for (; n < 6; n++) await tried(ask("c" + n)); return n;`),
  dollars: spending(
    { usd: 0.0005, calls: 50 },
    `${TRY} return (await Promise.all([1, 2, 3, 4, 5].map((n) => tried(ask("d" + n))))).length;`,
  ),
  tree: spending(
    { calls: 7, tokens: 1_500 },
    `
    const below = (model) => ctx.workflow.completions.create({ model, input: 1 }).catch(() => 0);
    await Promise.all([below("workflow:leaf"), below("workflow:leaf"), below("workflow:chain")]);
    return "done";`,
  ),
  leaf: spending(
    {},
    `${TRY} return (await Promise.all([tried(ask("l1")), tried(ask("l2")), tried(ask("l3"))])).length;`,
  ),
  stream: spending(
    { tokens: 900 },
    `
    let seen = 0;
    for (let n = 0; n < 4; n++) {
      try {
        const stream = await ctx.chat.completions.create({ model: "priced", max_tokens: 20, stream: true, messages: [{ role: "user", content: "one two three four " + n }] });
        for await (const chunk of stream) if (++seen % 7 === 0) break;
      } catch (error) { if (error.code !== "UPSTREAM_FAILED") throw error; }
    }
    return seen;`,
  ),
};
const ROOTS = ["fan", "chain", "dollars", "tree", "stream"];

/** Ids of the calls from outside. */
const started: string[] = [];
const UNITS = ["nanoUsd", "tokens", "calls"] as const;

function expectWithin(what: string, { limits, spent, reserved }: Balance): void {
  for (const unit of UNITS) {
    const limit = limits[unit];
    if (limit !== null) expect(spent[unit] + reserved[unit], `${what}: ${unit} of ${limit}`).toBeLessThanOrEqual(limit);
    expect(Math.min(spent[unit], reserved[unit]), `${what}: ${unit}`).toBeGreaterThanOrEqual(0);
  }
}

const balanceOf = (core: TestCore, executionId: string) =>
  core.budgets.balance({ accountId: core.accountId, executionId });

/** Checks every limit there is: of all executions, and of the day. */
async function expectAllWithin(core: TestCore): Promise<void> {
  for (const id of started) {
    const balance = await balanceOf(core, id);
    if (balance !== null) expectWithin(id, balance);
  }
  for (const { key, balance } of await core.budgets.pools(core.accountId)) expectWithin(`pool ${key}`, balance);
}

async function addSomething(core: TestCore): Promise<void> {
  const { accountId } = core;
  const amounts = { nanoUsd: random.between(0, 400_000), tokens: random.between(0, 500), calls: random.between(0, 4) };
  const id = started[random.between(0, started.length - 1)];
  const balance = id === undefined ? null : await balanceOf(core, id);
  if (id === undefined || balance === null) return;
  const add = Object.fromEntries(UNITS.map((unit) => [unit, balance.limits[unit] === null ? null : amounts[unit]]));
  const target = random.chance(0.8) ? { executionId: id } : { key: null };
  const asked = "key" in target ? { nanoUsd: null, tokens: null, calls: 5 } : (add as unknown as typeof amounts);
  // One that is over takes nothing more.
  await core.budgets
    .topUp({ accountId, target, add: asked, idempotencyKey: null })
    .catch((error: { code?: string }) => {
      expect(error.code).toBe("CONFLICT");
    });
}

const open = async () =>
  startTestCore({
    WEFT_DATA_DIR: dir.path,
    WEFT_MODELS: await writeModels(dir.path, stub),
    WEFT_WORKERS: "2",
    WEFT_STOP_GRACE_MS: "0",
  });

/** One life of a server: calls, additions and checks at random moments, and an end without any grace. */
async function live(isFirst: boolean): Promise<void> {
  const core = await open();
  if (isFirst) {
    for (const [ref, script] of Object.entries(SCRIPTS)) await core.deploy(ref, script);
    await core.budgets.putPools({
      accountId: core.accountId,
      pools: [{ key: null, limits: { nanoUsd: null, tokens: null, calls: 40 } }],
    });
  }
  for (let n = random.between(2, 5); n > 0; n--) {
    const ref = ROOTS[random.between(0, ROOTS.length - 1)] ?? "fan";
    const mode = random.chance(0.5) ? "background" : "sync";
    const called = await core.invoke(ref, { mode, cache: "no-store" }).catch((error: { code?: string }) => {
      expect(error.code).toBe("BUDGET_EXCEEDED");
      return null;
    });
    if (called !== null) started.push(called.executionId);
  }
  const end = performance.now() + random.between(50, 700);
  while (performance.now() < end) {
    await expectAllWithin(core);
    if (random.chance(0.1)) await addSomething(core);
    await sleep(random.between(1, 8));
  }
  await core.close();
  expect(core.reported).toEqual([]);
}

/** Gives everyone what they ask for until all are over. */
async function finishAll(core: TestCore): Promise<void> {
  const { accountId } = core;
  await core.budgets.putPools({ accountId, pools: [{ key: null, limits: null }] });
  const isOver = async (executionId: string) => {
    const { state } = await core.engine.findExecution({ accountId, executionId });
    if (state.status === "waiting" && state.shortage !== null) {
      const add = { nanoUsd: null, tokens: null, calls: null, [state.shortage.unit]: state.shortage.needed * 5 };
      const payer = "executionId" in state.shortage.of ? state.shortage.of.executionId : executionId;
      await core.budgets
        .topUp({ accountId, target: { executionId: payer }, add, idempotencyKey: null })
        .catch(() => null);
    }
    await expectAllWithin(core);
    return state.status === "completed" || state.status === "failed";
  };
  for (const id of started) await until(() => isOver(id));
}

/** All calls that an execution and those below it made, by the keys that the model was sent. */
async function callsOf(core: TestCore, executionId: string): Promise<{ distinct: number; tokens: number }> {
  const { accountId, store } = core;
  const own = stub.calls.filter(({ headers }) => String(headers["idempotency-key"]).startsWith(executionId));
  const journal = await store.readJournal({ executionId });
  const isChat = ({ op }: { readonly op: string }) => op.startsWith("chat.");
  const meters = journal.filter(isChat).map(({ meter }) => (meter?.promptTokens ?? 0) + (meter?.completionTokens ?? 0));
  const sum = { distinct: new Set(own.map(({ headers }) => headers["idempotency-key"])).size, tokens: 0 };
  sum.tokens = meters.reduce((all, tokens) => all + tokens, 0);
  const page = { limit: 100, offset: 0, after: null };
  const { items } = await store.listExecutions({ accountId, filter: { parentId: executionId }, ...page });
  for (const { id } of items) {
    const below = await callsOf(core, id);
    sum.distinct += below.distinct;
    sum.tokens += below.tokens;
  }
  return sum;
}

test(
  `whatever is called, fails, crashes and is added: no limit is ever passed, and no call is forgotten (seed ${seed})`,
  async () => {
    for (let life = 0; life < lives; life++) await live(life === 0);
    const core = await open();
    await finishAll(core);
    for (const id of started) {
      const balance = await balanceOf(core, id);
      if (balance === null) throw new Error(`${id} has lost its budget`);
      expectWithin(id, balance);
      expect(balance.reserved, id).toEqual({ nanoUsd: 0, tokens: 0, calls: 0 });
      const { distinct, tokens } = await callsOf(core, id);
      expect(balance.spent.calls, id).toBeGreaterThanOrEqual(distinct);
      expect(balance.spent.tokens, id).toBeGreaterThanOrEqual(tokens);
    }
    await core.close();
    expect(core.reported).toEqual([]);
    process.stdout.write(`budgets: seed ${seed}, ${started.length} executions, ${stub.calls.length} calls\n`);
  },
  (lives + 2) * LIFE_MS,
);
