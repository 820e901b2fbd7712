import { type Cost, fail, NO_COST } from "../../../runtime/index.ts";
import type { Lease, Refusal, Shortage, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { holderOf } from "./holder.ts";
import { endShortage } from "./places.ts";
import { limitsOf, nextDayAt, ownerOf, type Purse, poolPurse, pursesOf, reservedOf, spentOf } from "./purses.ts";
import type { Writer } from "./writer.ts";

type ReserveParams = Parameters<Store["reserve"]>[0];
type Reserved = Awaited<ReturnType<Store["reserve"]>>;

/** What a call asks for. */
interface Wanted {
  readonly worst: Cost;
  readonly now: number;
}

/** What tells open reservations apart. */
interface Place {
  readonly execution: number;
  readonly pos: number;
  readonly slot: number;
}

interface Row {
  readonly ticket: number;
  readonly nanoUsd: number;
  readonly tokens: number;
  readonly calls: number;
  readonly purses: string;
}

const UNITS: readonly (keyof Cost)[] = ["nanoUsd", "tokens", "calls"];
const COLUMNS = "ticket, usd AS nanoUsd, tokens, calls, purses";
const EARLIER = `SELECT ${COLUMNS} FROM reservations WHERE execution = ? AND pos = ? AND slot = ?`;
const REMOVE = `DELETE FROM reservations WHERE ticket = ? RETURNING ${COLUMNS}`;
const ADD = "INSERT INTO reservations (execution, pos, slot, usd, tokens, calls, purses) VALUES (?, ?, ?, ?, ?, ?, ?)";
const SET_ASIDE = `UPDATE purses SET usd_reserved = usd_reserved + ?, tokens_reserved = tokens_reserved + ?,
  calls_reserved = calls_reserved + ? WHERE number = ?`;
const SPEND = `UPDATE purses SET usd_spent = usd_spent + ?, tokens_spent = tokens_spent + ?, calls_spent = calls_spent + ?
  WHERE number = ?`;
const OF_NUMBER = `SELECT ${COLUMNS} FROM reservations WHERE execution = ?`;
const OF_EXECUTION = `SELECT ${COLUMNS} FROM reservations
  WHERE execution = (SELECT number FROM executions WHERE id = ?)`;
const OF_ENDED = `SELECT ${COLUMNS} FROM reservations r
  WHERE (SELECT status FROM executions e WHERE e.number = r.execution) > 2`;
/** Calls outside executions stand under a number that none has. */
const OUTSIDE = 0;
const NEXT_OUTSIDE = `SELECT coalesce(max(pos), 0) + 1 AS pos FROM reservations WHERE execution = ${OUTSIDE}`;
const OF_OUTSIDE = `SELECT ${COLUMNS} FROM reservations WHERE execution = ${OUTSIDE}`;
const REVISION = "SELECT revision FROM budget_revisions WHERE account_id = ?";

/** Counts what was given in an account. */
export function revisionOf(db: Database, accountId: string): number {
  return db.get<{ revision: number }>(REVISION, accountId)?.revision ?? 0;
}

const numbersOf = ({ purses }: Row): readonly number[] => JSON.parse(purses) as number[];

/** A limit that a call does not fit into; null when it fits into all of a purse. */
function lackOf(purse: Purse, worst: Cost, freed: Cost) {
  const [limits, spent, reserved] = [limitsOf(purse), spentOf(purse), reservedOf(purse)];
  for (const unit of UNITS) {
    const limit = limits[unit];
    const needed = worst[unit];
    if (limit === null || needed === 0) continue;
    const held = reserved[unit] - freed[unit];
    if (spent[unit] + held + needed <= limit) continue;
    const passing = spent[unit] + needed <= limit;
    return { unit, limit, needed, spent: spent[unit], reserved: held, passing };
  }
  return null;
}

interface Asked {
  readonly accountId: string;
  readonly purses: readonly Purse[];
  readonly earlier: Row | undefined;
}

/** What a purse says against a call; null when the call fits into it. */
function refuse(db: Database, wanted: Wanted, { accountId, earlier }: Asked, purse: Purse): Refusal | null {
  const isFreed = earlier !== undefined && numbersOf(earlier).includes(purse.number);
  const lack = lackOf(purse, wanted.worst, isFreed ? earlier : NO_COST);
  if (lack === null) return null;
  const { passing, ...amounts } = lack;
  const { executionId, pool } = purse;
  const of = executionId === null ? { key: pool === "" ? null : pool } : { executionId };
  const until = executionId === null ? nextDayAt(wanted.now) : null;
  const shortage: Shortage = { ...amounts, of, until, revision: revisionOf(db, accountId) };
  return { ticket: null, shortage, passing, purse: purse.number };
}

/** What more must be given for says more than what a new day brings, and that more than what only waits for others. */
const weightOf = ({ passing, shortage }: Refusal): number => (passing ? 0 : shortage.until === null ? 2 : 1);

function refusalOf(db: Database, wanted: Wanted, asked: Asked): Refusal | null {
  let worst: Refusal | null = null;
  for (const purse of asked.purses) {
    const refusal = refuse(db, wanted, asked, purse);
    if (refusal !== null && (worst === null || weightOf(refusal) > weightOf(worst))) worst = refusal;
  }
  return worst;
}

function setAside(db: Database, worst: Cost, purses: readonly Purse[], { execution, pos, slot }: Place): Reserved {
  const { nanoUsd, tokens, calls } = worst;
  for (const purse of purses) db.run(SET_ASIDE, nanoUsd, tokens, calls, purse.number);
  const numbers = purses.map((purse) => purse.number);
  const ticket = db.insert(ADD, execution, pos, slot, nanoUsd, tokens, calls, JSON.stringify(numbers));
  if (ticket === null) throw fail("INTERNAL", {}, new Error("a reservation was not stored"));
  return { ticket, purses: numbers };
}

function reserve(db: Database, { lease, request, now }: ReserveParams): Reserved {
  const { number, accountId, owner } = holder(db, lease);
  const purses = pursesOf(db, owner, now);
  const earlier = db.get<Row>(EARLIER, number, request.pos, request.slot);
  const { worst, pos, slot } = request;
  const refusal = refusalOf(db, { worst, now }, { accountId, purses, earlier });
  if (refusal !== null) return refusal;
  if (earlier !== undefined) db.run(REMOVE, earlier.ticket);
  const reserved = setAside(db, worst, purses, { execution: number, pos, slot });
  endShortage(db, number);
  return reserved;
}

function reservePools(db: Database, params: Parameters<Store["reservePools"]>[0]): Reserved {
  const { accountId, key, worst, now } = params;
  const names = key === null ? [null] : [null, key];
  const purses = names.map((name) => poolPurse(db, accountId, name, now)).filter((purse) => purse !== null);
  const refusal = refusalOf(db, { worst, now }, { accountId, purses, earlier: undefined });
  if (refusal !== null) return refusal;
  const pos = db.get<{ pos: number }>(NEXT_OUTSIDE)?.pos ?? 1;
  return setAside(db, worst, purses, { execution: OUTSIDE, pos, slot: 0 });
}

function holder(db: Database, lease: Lease) {
  const found = holderOf(db, lease);
  const account = found === null ? undefined : db.get<{ id: string }>(ACCOUNT, found.number);
  const owner = account === undefined ? null : ownerOf(db, account.id, lease.executionId);
  if (found !== null && owner !== null) return { number: found.number, accountId: owner.accountId, owner };
  const { executionId, fence } = lease;
  const message = `Execution ${executionId} spends nothing under lease ${fence}: it is no longer the current one.`;
  throw fail("CONFLICT", { message, executionId, fence });
}

const ACCOUNT = "SELECT account_id AS id FROM executions WHERE number = ?";

function settle(db: Database, ticket: number, cost: Cost | null): void {
  const row = db.get<Row>(REMOVE, ticket);
  if (row === undefined) return;
  const { nanoUsd, tokens, calls } = cost ?? row;
  for (const number of numbersOf(row)) db.run(SPEND, nanoUsd, tokens, calls, number);
}

/** Counts all that an execution has set aside as spent: nobody will tell what became of those calls. */
export function spendReserved(db: Database, number: number): void {
  for (const { ticket } of db.all<Row>(OF_NUMBER, number)) settle(db, ticket, null);
}

/** What is set aside for calls, and what they cost in the end. */
export function createReservations(
  db: Database,
  writer: Writer,
): Pick<Store, "reserve" | "reservePools" | "settle" | "settleEnded" | "settlePools"> {
  const settleAll = async (rows: readonly Row[]) => {
    if (rows.length === 0) return;
    await writer.write(() => {
      for (const { ticket } of rows) settle(db, ticket, null);
    });
  };
  return {
    reserve: (params) => writer.write(() => reserve(db, params)),
    reservePools: (params) => writer.write(() => reservePools(db, params)),
    settle: ({ ticket, cost }) => writer.writeUnguarded(() => settle(db, ticket, cost)),
    settleEnded: async ({ executionId }) =>
      settleAll(executionId === null ? db.all<Row>(OF_ENDED) : db.all<Row>(OF_EXECUTION, executionId)),
    settlePools: async () => settleAll(db.all<Row>(OF_OUTSIDE)),
  };
}
