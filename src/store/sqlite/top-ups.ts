import { type Cost, fail, MAX_AMOUNT } from "../../../runtime/index.ts";
import type { Amounts, Pool, Shortage, Store, TopUpTarget } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";
import { placeOf, rootOf, shortSince } from "./places.ts";
import {
  balanceOf,
  dayOf,
  executionPurse,
  limitsOf,
  type Owner,
  ownerOf,
  type Purse,
  poolName,
  poolPurse,
} from "./purses.ts";
import { revisionOf } from "./reservations.ts";
import { addWaking } from "./wakings.ts";
import type { Writer } from "./writer.ts";

type TopUps = Pick<Store, "topUp" | "listPools" | "putPools" | "readBalance" | "readPool" | "listShort">;
type TopUpParams = Parameters<Store["topUp"]>[0];
type PutParams = Parameters<Store["putPools"]>[0];

/** Idempotency keys of what was given are remembered this long, ms. */
const KEPT_MS = 30 * 86_400_000;

const BUMP = `INSERT INTO budget_revisions (account_id, revision) VALUES (?, 1)
  ON CONFLICT (account_id) DO UPDATE SET revision = revision + 1`;
const RAISE = `UPDATE purses SET usd_limit = min(usd_limit + ?, ${MAX_AMOUNT}), tokens_limit = min(tokens_limit + ?, ${MAX_AMOUNT}),
  calls_limit = min(calls_limit + ?, ${MAX_AMOUNT}) WHERE number = ?`;
const KNOWN = "SELECT asked FROM top_ups WHERE account_id = ? AND key = ?";
const REMEMBER = "INSERT INTO top_ups (account_id, key, asked, at) VALUES (?, ?, ?, ?)";
const FORGET = "DELETE FROM top_ups WHERE at < ?";
const PUT_POOL = `INSERT INTO pools (account_id, pool, usd, tokens, calls) VALUES (?, ?, ?, ?, ?) ON CONFLICT (account_id, pool)
  DO UPDATE SET usd = excluded.usd, tokens = excluded.tokens, calls = excluded.calls`;
const CHANGE_TODAY = `UPDATE purses SET usd_limit = ?, tokens_limit = ?, calls_limit = ?
  WHERE account_id = ? AND pool = ? AND day = ?`;
const LIST_POOLS = "SELECT account_id AS accountId, pool, usd AS nanoUsd, tokens, calls FROM pools";
const ADD_SHORTAGE = `INSERT OR REPLACE INTO shortages (execution, account_id, workflow_id, root, since, pooled, detail)
  SELECT e.number, e.account_id, iif(e.parent_id IS NULL, e.workflow_id, NULL), ?, ?, ?, ? FROM executions e WHERE e.number = ?`;
const LIST_SHORT = `SELECT e.id, e.account_id AS accountId FROM shortages s INDEXED BY shortages_by_workflow
  JOIN executions e ON e.number = s.execution
  WHERE s.workflow_id = ? AND s.since < ? AND e.status = ${STATUS.waiting} ORDER BY s.since LIMIT ?`;

const NAMES: Readonly<Record<keyof Cost, string>> = { nanoUsd: "usd", tokens: "tokens", calls: "calls" };
const UNITS: readonly (keyof Cost)[] = ["nanoUsd", "tokens", "calls"];

/** Notes what a parking execution is short of; true when more was given meanwhile, so that it can go on at once. */
export function addShortage(db: Database, number: number, shortage: Shortage): boolean {
  const execution = placeOf(db, number);
  if (execution === null) return false;
  if (revisionOf(db, execution.accountId) !== shortage.revision) return true;
  const root = rootOf(db, execution);
  const pooled = "key" in shortage.of ? 1 : 0;
  db.run(ADD_SHORTAGE, root, shortSince(db, root, Date.now()), pooled, JSON.stringify(shortage), number);
  return false;
}

function bump(db: Database, accountId: string): number {
  db.run(BUMP, accountId);
  return revisionOf(db, accountId);
}

/** True when the same was given under the same key before. */
function isRepeated(db: Database, { accountId, target, add, idempotencyKey, now }: TopUpParams): boolean {
  if (idempotencyKey === null) return false;
  db.run(FORGET, now - KEPT_MS);
  const asked = JSON.stringify([target, add]);
  const known = db.get<{ asked: string }>(KNOWN, accountId, idempotencyKey);
  if (known === undefined) db.run(REMEMBER, accountId, idempotencyKey, asked, now);
  if (known === undefined || known.asked === asked) return known !== undefined;
  throw fail("CONFLICT", { message: "Idempotency-Key: it was used for something else.", param: "Idempotency-Key" });
}

/** The execution whose own limits are raised: the named one, or the nearest above it that has some. */
function payerOf(db: Database, accountId: string, executionId: string): Owner {
  const named = ownerOf(db, accountId, executionId);
  if (named === null) throw fail("EXECUTION_NOT_FOUND", { id: executionId });
  if (named.status > STATUS.waiting)
    throw fail("CONFLICT", { message: "The execution is over: nothing more is spent." });
  const { limits = null, above: [above] = [] } = named.budget ?? {};
  if (limits !== null) return named;
  return (above === undefined ? null : ownerOf(db, accountId, above)) ?? named;
}

function purseOf(db: Database, accountId: string, target: TopUpTarget, now: number) {
  if ("executionId" in target) {
    const owner = payerOf(db, accountId, target.executionId);
    const place = placeOf(db, owner.number);
    return { purse: executionPurse(db, owner), root: place === null ? owner.id : rootOf(db, place) };
  }
  return { purse: poolPurse(db, accountId, target.key, now), root: null };
}

function checkLimits(purse: Purse | null, add: Cost): Purse {
  const limits = purse === null ? null : limitsOf(purse);
  const unit = UNITS.find((each) => add[each] > 0 && (limits?.[each] ?? null) === null);
  if (purse !== null && unit === undefined) return purse;
  const what = unit === undefined ? "anything" : NAMES[unit];
  const message = `add: there is no limit of ${what} here that could be raised`;
  throw fail("INVALID_REQUEST", { message, param: unit === undefined ? "add" : `add.${what}` });
}

function topUp(db: Database, params: TopUpParams): { revision: number; repeated: boolean } {
  const { accountId, target, add, now } = params;
  if (isRepeated(db, params)) return { revision: revisionOf(db, accountId), repeated: true };
  const { purse: found, root } = purseOf(db, accountId, target, now);
  const purse = checkLimits(found, add);
  db.run(RAISE, add.nanoUsd, add.tokens, add.calls, purse.number);
  addWaking(db, { accountId, root });
  return { revision: bump(db, accountId), repeated: false };
}

function putPools(db: Database, { accountId, pools, now }: PutParams): { revision: number } {
  for (const { key, limits } of pools) {
    const pool = poolName(key);
    const values = [limits?.nanoUsd ?? null, limits?.tokens ?? null, limits?.calls ?? null];
    if (limits === null) db.run("DELETE FROM pools WHERE account_id = ? AND pool = ?", accountId, pool);
    else db.run(PUT_POOL, accountId, pool, ...values);
    db.run(CHANGE_TODAY, ...values, accountId, pool, dayOf(now));
  }
  addWaking(db, { accountId, root: null });
  return { revision: bump(db, accountId) };
}

/** Limits, who raises them, and who waits for that. */
export function createTopUps(db: Database, writer: Writer): TopUps {
  return {
    topUp: (params) => writer.write(() => topUp(db, params)),
    putPools: (params) => writer.write(() => putPools(db, params)),
    async listPools() {
      const rows = db.all<Amounts & { readonly accountId: string; readonly pool: string }>(LIST_POOLS);
      return rows.map(
        ({ accountId, pool, ...limits }): Pool => ({ accountId, key: pool === "" ? null : pool, limits }),
      );
    },
    async readBalance({ accountId, executionId }) {
      const owner = ownerOf(db, accountId, executionId);
      if (owner === null || owner.budget?.limits == null) return null;
      const purse = db.get<Purse>("SELECT * FROM purses WHERE execution = ?", owner.number);
      const none = { nanoUsd: 0, tokens: 0, calls: 0 };
      return purse === undefined ? { limits: owner.budget.limits, spent: none, reserved: none } : balanceOf(purse);
    },
    async readPool({ accountId, key, now }) {
      const purse = db.get<Purse>(
        "SELECT * FROM purses WHERE account_id = ? AND pool = ? AND day = ?",
        accountId,
        poolName(key),
        dayOf(now),
      );
      const limits = db.get<Amounts>(
        "SELECT usd AS nanoUsd, tokens, calls FROM pools WHERE account_id = ? AND pool = ?",
        accountId,
        poolName(key),
      );
      if (limits === undefined) return null;
      const none = { nanoUsd: 0, tokens: 0, calls: 0 };
      return purse === undefined ? { limits, spent: none, reserved: none } : balanceOf(purse);
    },
    async listShort({ workflowId, before, limit }) {
      return db.all<{ id: string; accountId: string }>(LIST_SHORT, workflowId, before, limit);
    },
  };
}
