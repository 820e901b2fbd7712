import { fail } from "../../../runtime/index.ts";
import type { Gates, NewExecution } from "../store.ts";
import type { Database } from "./database.ts";
import { nextStart, type Rate, recordStart } from "./starts.ts";

/** States of a gate; see the schema. */
const GATE = { early: 1, slot: 2, rate: 3, head: 4, passed: 5 } as const;

/** Whoever is let in is due by then, or when its rate allows. */
const AT_ONCE = 0;

interface GateRow {
  readonly number: number;
  readonly state: number;
  readonly priority: number;
  readonly slot: string | null;
  readonly slot_limit: number | null;
  readonly rate: string | null;
  readonly rate_limit: number | null;
  readonly rate_ms: number | null;
  readonly rated: number;
}

const COLUMNS = "number, state, priority, slot, slot_limit, rate, rate_limit, rate_ms, rated";
const FIND = `SELECT ${COLUMNS} FROM gates WHERE number = ?`;
const FIRST_OF_SLOT = `SELECT ${COLUMNS} FROM gates INDEXED BY gates_by_slot WHERE slot = ? AND state = 2
  ORDER BY priority DESC, number LIMIT 1`;
const FIRST_OF_RATE = `SELECT ${COLUMNS} FROM gates INDEXED BY gates_by_rate
  WHERE rate = ? AND state = ? AND state IN (3, 4) ORDER BY priority DESC, number LIMIT 1`;
const INSERT = `INSERT INTO gates (number, state, priority, slot, slot_limit, rate, rate_limit, rate_ms, rated, debounce,
  debounce_until) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const SET_STATE = "UPDATE gates SET state = ?, debounce = NULL WHERE number = ?";
const SET_TIME = "UPDATE executions SET ready = ?, due_at = ? WHERE number = ?";
const RESET = "UPDATE gates SET state = 1, rated = ? WHERE number = ?";
const SLOT = "SELECT taken, capacity FROM slots WHERE slot = ?";
const PUT_SLOT =
  "INSERT INTO slots (slot, taken, capacity) VALUES (?, 0, ?) ON CONFLICT DO UPDATE SET capacity = excluded.capacity";
const MOVE_SLOT = "UPDATE slots SET taken = taken + ? WHERE slot = ?";

/** Databases that have ever had a gate: in all others nothing need be asked about them. */
const withGates = new WeakSet<Database>();

/** True when an execution may have gates in front of it. */
export function hasGates(db: Database): boolean {
  return withGates.has(db);
}

/** Finds out whether gates are left from an earlier process. */
export function findGates(db: Database): void {
  const row = db.get<{ first: number | null }>("SELECT min(number) AS first FROM gates");
  if (row !== undefined && row.first !== null) withGates.add(db);
}

function rateOf({ rate, rate_limit: limit, rate_ms: periodMs }: GateRow): Rate | null {
  return rate === null || limit === null || periodMs === null ? null : { id: rate, limit, periodMs };
}

/** Neither claimable nor due by itself: something else must happen first. */
function block(db: Database, { number }: GateRow, state: number): void {
  db.run(SET_STATE, state, number);
  db.run(SET_TIME, 0, null, number);
}

/** Makes the first one that waits for a rate the next to start, unless that one is as urgent. */
function seatHead(db: Database, rate: Rate, now: number): void {
  const best = db.get<GateRow>(FIRST_OF_RATE, rate.id, GATE.rate);
  if (best === undefined) return;
  const head = db.get<GateRow>(FIRST_OF_RATE, rate.id, GATE.head);
  if (head !== undefined && head.priority >= best.priority) return;
  if (head !== undefined) block(db, head, GATE.rate);
  const due = nextStart(db, rate, now);
  db.run(SET_STATE, GATE.head, best.number);
  db.run(SET_TIME, due <= now ? 1 : 0, due, best.number);
}

function enterRate(db: Database, row: GateRow, now: number): void {
  const rate = row.rated === 1 ? null : rateOf(row);
  if (rate === null) {
    db.run(SET_STATE, GATE.passed, row.number);
    db.run(SET_TIME, 1, now, row.number);
  } else {
    block(db, row, GATE.rate);
    seatHead(db, rate, now);
  }
}

/** Lets those in that wait for a slot as long as there are any left; forgets a slot that nobody uses. */
function fillSlot(db: Database, slot: string, now: number): void {
  for (;;) {
    const found = db.get<{ taken: number; capacity: number }>(SLOT, slot);
    if (found === undefined || found.taken >= found.capacity) return;
    const next = db.get<GateRow>(FIRST_OF_SLOT, slot);
    if (next === undefined) {
      if (found.taken <= 0) db.run("DELETE FROM slots WHERE slot = ?", slot);
      return;
    }
    db.run(MOVE_SLOT, 1, slot);
    enterRate(db, next, now);
  }
}

function arrive(db: Database, row: GateRow, now: number): void {
  if (row.slot === null) {
    enterRate(db, row, now);
    return;
  }
  db.run(PUT_SLOT, row.slot, row.slot_limit);
  block(db, row, GATE.slot);
  fillSlot(db, row.slot, now);
}

/** Starts the next one of a rate if it is time, else tells when it is. */
function startHead(db: Database, row: GateRow, now: number): boolean {
  const rate = rateOf(row);
  const due = rate === null ? now : nextStart(db, rate, now);
  if (due > now) {
    db.run(SET_TIME, 0, due, row.number);
    return false;
  }
  db.run(SET_STATE, GATE.passed, row.number);
  if (rate !== null) {
    db.run("UPDATE gates SET rated = 1 WHERE number = ?", row.number);
    recordStart(db, rate, now);
    seatHead(db, rate, now);
  }
  return true;
}

/** True when a claimable execution may be leased; else it waits behind a gate from now on. */
export function passGates(db: Database, number: number, now: number): boolean {
  const row = db.get<GateRow>(FIND, number);
  if (row === undefined || row.state === GATE.passed) return true;
  if (row.state === GATE.early) arrive(db, row, now);
  // Whatever made it claimable did not know that it waits.
  else if (row.state !== GATE.head) block(db, row, row.state);
  const after = db.get<GateRow>(FIND, number) ?? row;
  if (after.state === GATE.head) return startHead(db, after, now);
  return after.state === GATE.passed;
}

/** How an execution leaves its gates: for good, for a wait after which it goes on, or for another attempt. */
export type Leaving = "ended" | "parked" | "again";

/** Gives back what an execution held behind its gates; others that wait there may become claimable. */
export function leaveGates(db: Database, number: number, how: Leaving): void {
  const row = db.get<GateRow>(FIND, number);
  if (row === undefined) return;
  if (how === "ended") db.run("DELETE FROM gates WHERE number = ?", number);
  else db.run(RESET, how === "parked" ? row.rated : 0, number);
  const rate = row.state === GATE.head ? rateOf(row) : null;
  if (rate !== null) seatHead(db, rate, AT_ONCE);
  if (row.slot === null || row.state < GATE.rate) return;
  db.run(MOVE_SLOT, -1, row.slot);
  fillSlot(db, row.slot, AT_ONCE);
}

/** Refuses a caller who waits when its rate allows no start now; counts the start otherwise. */
function startDirect(db: Database, rate: Rate, now: number): void {
  const due = nextStart(db, rate, now);
  if (due <= now) {
    recordStart(db, rate, now);
    return;
  }
  const seconds = Math.ceil((due - now) / 1_000);
  const message = `rateLimit: ${rate.limit} executions within ${rate.periodMs} ms have started (config.rateLimit.limit); try again in ${seconds} s.`;
  throw fail("RATE_LIMITED", { message, retry_after: seconds, limit: "rateLimit.limit", value: rate.limit });
}

/** Puts gates in front of a queued execution that was just made (or resumed); RATE_LIMITED. */
export function addGates(
  db: Database,
  number: number,
  execution: Pick<NewExecution, "workflowId" | "priority">,
  params: { readonly gates: Gates; readonly isDue: boolean; readonly now: number },
): void {
  const { gates, isDue, now } = params;
  const { slot, rate, debounce, isDirect } = gates;
  const idOf = (key: string) => `${execution.workflowId}:${key}`;
  const rateId = rate === null ? null : idOf(rate.key);
  if (isDirect && rate !== null && rateId !== null) startDirect(db, { ...rate, id: rateId }, now);
  const slotColumns = slot === null ? [null, null] : [idOf(slot.key), slot.limit];
  const rateColumns = rate === null ? [null, null, null] : [rateId, rate.limit, rate.periodMs];
  const debounceColumns = debounce === null ? [null, null] : [idOf(debounce.key), now + debounce.maxWaitMs];
  const rated = isDirect ? 1 : 0;
  withGates.add(db);
  db.run(INSERT, number, execution.priority, ...slotColumns, ...rateColumns, rated, ...debounceColumns);
  db.run("UPDATE executions SET gated = 1 WHERE number = ?", number);
  const row = isDue ? db.get<GateRow>(FIND, number) : undefined;
  if (row !== undefined) arrive(db, row, now);
}
