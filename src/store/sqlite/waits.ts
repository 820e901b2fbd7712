import { fail } from "../../../runtime/index.ts";
import type { Lease, NewWait, OpenWait, Store, WaitKey, WaitStatus } from "../store.ts";
import type { Database } from "./database.ts";
import { assign } from "./deliver-event.ts";
import { type Holder, holderOf } from "./holder.ts";
import { matches } from "./matching.ts";
import { keyOfWait } from "./wait-keys.ts";
import type { Writer } from "./writer.ts";

type Waits = Pick<Store, "openWait" | "closeWaits" | "listWaits">;
type OpenParams = Parameters<Store["openWait"]>[0];
type NewEventWait = Extract<NewWait, { kind: "event" }>;

interface WaitRow {
  readonly number: number;
  readonly execution: number;
  readonly kind: number;
  readonly state: number;
  readonly until: number | null;
  readonly event: number | null;
  readonly answer: string | null;
}

interface KeptEvent {
  readonly number: number;
  readonly payload: string;
}

interface OpenRow extends Omit<OpenWait, "kind"> {
  readonly kind: number;
}

/** States of a wait as stored. */
export const WAIT_STATE = { open: 0, answered: 1, recorded: 2, over: 3 } as const;

const BY_POS = "SELECT number, execution, kind, state, until, event, answer FROM waits WHERE execution = ? AND pos = ?";
const BY_ID = "SELECT number, execution, kind, state, until, event, answer FROM waits WHERE id = ?";
const COUNT_OPEN = "SELECT count(*) AS n FROM waits WHERE execution = ? AND state = 0";
const MARK = "UPDATE executions SET waits = 1 WHERE number = ? AND waits = 0";
const ACCOUNT = "SELECT account_id AS id FROM executions WHERE number = ?";
const INSERT = `INSERT INTO waits (execution, pos, account_id, kind, name, state, since, until, match, path, value)
  VALUES (?, ?, ?, 0, ?, 0, ?, ?, ?, ?, ?)`;
const REOPEN = "UPDATE waits SET state = 0 WHERE number = ?";
const UNTAKEN = "NOT EXISTS (SELECT 1 FROM taken WHERE event = e.number AND execution = ?)";
const KEPT_FOR_EXECUTION = `SELECT e.number, e.payload FROM events e INDEXED BY events_by_execution
  WHERE e.execution = ? AND e.name = ? AND (e.expires_at IS NULL OR e.expires_at > ?) AND ${UNTAKEN} ORDER BY e.number`;
const KEPT_FOR_ALL = `SELECT e.number, e.payload FROM executions x CROSS JOIN events e INDEXED BY events_by_name
  WHERE x.number = ? AND e.account_id = x.account_id AND e.name = ? AND e.execution IS NULL AND e.expires_at > ?
  AND ${UNTAKEN} ORDER BY e.number`;
const PAYLOAD = "SELECT payload FROM events WHERE number = ?";
const REMOVE = "DELETE FROM waits WHERE number = ?";
const RECORDED = "UPDATE waits SET state = 2 WHERE number = ?";
const EVENT_FACTS = "SELECT execution, expires_at AS expiresAt, cursor FROM events WHERE number = ?";
const FORGET_TAKEN = "DELETE FROM taken WHERE event = ? AND execution = ?";
const REMOVE_EVENT =
  "DELETE FROM events WHERE number = ? AND NOT EXISTS (SELECT 1 FROM taken WHERE event = events.number)";
const LIST = `SELECT w.kind, w.name, w.since, w.until, w.id AS approvalId FROM executions e JOIN waits w ON w.execution = e.number
  WHERE e.id = ? AND e.account_id = ? AND w.state = 0 ORDER BY w.pos`;

/** The holder of a lease; CONFLICT when it is no longer the current one. */
export function requireHolder(db: Database, lease: Lease): Holder {
  const holder = holderOf(db, lease);
  if (holder !== null) return holder;
  const { executionId, fence } = lease;
  throw fail("CONFLICT", {
    message: `Execution ${executionId} waits for nothing under lease ${fence}: it is no longer the current one.`,
    executionId,
    fence,
  });
}

/** Notes that an execution has waits; LIMIT_EXCEEDED when it has `maxOpen` open ones already. */
export function admitWait(db: Database, execution: number, maxOpen: number): void {
  const open = db.get<{ n: number }>(COUNT_OPEN, execution)?.n ?? 0;
  if (open >= maxOpen) {
    const message = `waitFor, approve: ${open + 1} waits at the same time, over ${maxOpen} (maxWaits)`;
    throw fail("LIMIT_EXCEEDED", { message, limit: "maxWaits", value: open + 1 });
  }
  db.run(MARK, execution);
}

function firstMatch(events: Iterable<KeptEvent>, match: string | null): KeptEvent | null {
  for (const event of events) {
    if (matches(match, (JSON.parse(event.payload) as { readonly data: unknown }).data)) return event;
  }
  return null;
}

function addEventWait(db: Database, execution: number, wait: NewEventWait, now: number): void {
  const { pos, name, until } = wait;
  const match = wait.match === null ? null : JSON.stringify(wait.match);
  const account = db.get<{ id: string }>(ACCOUNT, execution)?.id ?? "";
  const { path, value } = keyOfWait(db, account, wait);
  const number = db.insert(INSERT, execution, pos, account, name, now, until, match, path, value) ?? 0;
  const own = firstMatch(db.iterate(KEPT_FOR_EXECUTION, execution, name, now, execution), match);
  const shared = firstMatch(db.iterate(KEPT_FOR_ALL, execution, name, now, execution), match);
  const oldest = own === null || (shared !== null && shared.number < own.number) ? shared : own;
  if (oldest === null || !assign(db, oldest.number, { number, execution })) return;
  // What is meant for one execution is not kept any longer once it has it.
  if (oldest === own) db.run("UPDATE events SET expires_at = at WHERE number = ?", oldest.number);
}

function findWait(db: Database, execution: number, key: WaitKey): WaitRow | null {
  const row = key.kind === "event" ? db.get<WaitRow>(BY_POS, execution, key.pos) : db.get<WaitRow>(BY_ID, key.id);
  return row === undefined || row.execution !== execution ? null : row;
}

function statusOf(db: Database, row: WaitRow, now: number): WaitStatus {
  const { state, event, until } = row;
  if (state === WAIT_STATE.over) db.run(REOPEN, row.number);
  const given = event === null ? row.answer : (db.get<{ payload: string }>(PAYLOAD, event)?.payload ?? null);
  if (given !== null) return { status: "answered", answer: given };
  const isExpired = state === WAIT_STATE.recorded || (until !== null && until <= now);
  return { status: isExpired ? "expired" : "open" };
}

function open(db: Database, { lease, wait, maxOpen, now }: OpenParams): WaitStatus {
  const { number: execution } = requireHolder(db, lease);
  if (wait.kind === "event" && findWait(db, execution, wait) === null) {
    admitWait(db, execution, maxOpen);
    addEventWait(db, execution, wait, now);
  }
  const row = findWait(db, execution, wait);
  if (row !== null) return statusOf(db, row, now);
  throw fail("INVALID_ARGUMENT", { message: "approve: this execution asked no question of that id", field: "id" });
}

/** Removes what nobody needs any more of an event that an execution has recorded. */
function releaseEvent(db: Database, event: number, execution: number, now: number): void {
  type Facts = { readonly execution: number | null; readonly expiresAt: number | null; readonly cursor: number | null };
  const facts = db.get<Facts>(EVENT_FACTS, event);
  if (facts === undefined || facts.cursor !== null || facts.expiresAt === null || facts.expiresAt > now) return;
  db.run(FORGET_TAKEN, event, execution);
  db.run(REMOVE_EVENT, event);
}

function close(db: Database, execution: number, key: WaitKey, now: number): void {
  const row = findWait(db, execution, key);
  if (row === null) return;
  if (row.kind === 1) {
    db.run(RECORDED, row.number);
    return;
  }
  db.run(REMOVE, row.number);
  if (row.event !== null) releaseEvent(db, row.event, execution, now);
}

/** What executions wait for, and the answers they have not recorded yet. */
export function createWaits(db: Database, writer: Writer): Waits {
  return {
    openWait: (params) => writer.write(() => open(db, params)),
    closeWaits: ({ lease, waits, now }) =>
      writer.write(() => {
        const holder = holderOf(db, lease);
        if (holder !== null) for (const key of waits) close(db, holder.number, key, now);
      }),
    async listWaits({ accountId, executionId }) {
      const rows = db.all<OpenRow>(LIST, executionId, accountId);
      return rows.map((row) => ({ ...row, kind: row.kind === 1 ? "approval" : "event" }));
    },
  };
}
