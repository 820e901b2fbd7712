import { hash } from "node:crypto";
import { fail } from "../../../runtime/index.ts";
import type { NewEvent, Sending, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { deliverEvent, type EventRow } from "./deliver-event.ts";
import { STATUS } from "./execution-columns.ts";
import type { Writer } from "./writer.ts";

type Events = Pick<Store, "sendEvent" | "continueEvent" | "unfinishedEvents" | "pruneEvents">;
type SendParams = Parameters<Store["sendEvent"]>[0];

interface Kept {
  readonly n: number;
  readonly bytes: number;
}

interface KnownId {
  readonly hash: string;
  readonly event: number;
  readonly at: number;
  readonly reached: number;
}

const KNOWN = "SELECT hash, event, at, reached FROM event_ids WHERE account_id = ? AND id = ? AND expires_at > ?";
const REMEMBER = `INSERT INTO event_ids (account_id, id, hash, event, at, reached, expires_at) VALUES (?, ?, ?, ?, ?, 0, ?)
  ON CONFLICT DO UPDATE SET hash = excluded.hash, event = excluded.event, at = excluded.at, reached = 0,
  expires_at = excluded.expires_at`;
const COUNT = "UPDATE event_ids SET reached = ? WHERE account_id = ? AND id = ? AND event = ?";
const FIND_EXECUTION = "SELECT number, status FROM executions WHERE id = ? AND account_id = ?";
/** Bytes of kept events of one name: a wait that begins looks into each of them. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
const KEPT = "count(*) AS n, coalesce(sum(octet_length(payload)), 0) AS bytes";
const KEPT_BY_NAME = `SELECT ${KEPT} FROM events INDEXED BY events_by_name
  WHERE account_id = ? AND name = ? AND execution IS NULL AND expires_at > ?`;
const KEPT_BY_EXECUTION = `SELECT ${KEPT} FROM events INDEXED BY events_by_execution WHERE execution = ? AND name = ?
  AND NOT EXISTS (SELECT 1 FROM taken WHERE event = events.number)`;
const INSERT = `INSERT INTO events (account_id, name, id, execution, at, expires_at, upto, cursor, reached, payload)
  VALUES (?, ?, ?, ?, ?, ?, coalesce((SELECT max(number) FROM waits), 0), ?, 0, ?)`;
const FIND = "SELECT * FROM events WHERE number = ?";
const MOVE = "UPDATE events SET cursor = ?, reached = ? WHERE number = ?";
const REMOVE = "DELETE FROM events WHERE number = ?";
const OF_NOBODY =
  "DELETE FROM events WHERE number = ? AND NOT EXISTS (SELECT 1 FROM taken WHERE event = events.number)";
const UNFINISHED = "SELECT number AS event, account_id AS accountId, name FROM events WHERE cursor >= 0";
const BEHIND = "SELECT 1 AS found FROM events WHERE cursor >= 0 AND account_id = ? AND name = ? AND number < ? LIMIT 1";
const EXPIRED = `SELECT number FROM events INDEXED BY events_by_expiry WHERE expires_at <= ? AND expires_at IS NOT NULL
  AND cursor IS NULL AND NOT EXISTS (SELECT 1 FROM waits WHERE event = events.number) ORDER BY expires_at LIMIT ?`;
const FORGET_TAKEN = `DELETE FROM taken WHERE event = ? AND execution IN
  (SELECT execution FROM taken WHERE event = ? LIMIT ?)`;
const FORGET_IDS = `DELETE FROM event_ids WHERE (account_id, id) IN
  (SELECT account_id, id FROM event_ids INDEXED BY event_ids_by_expiry WHERE expires_at <= ? LIMIT ?)`;

/** The JSON text that scripts get. */
const payloadOf = ({ name, data, id, at }: NewEvent): string =>
  `{"name":${JSON.stringify(name)},"data":${data},"id":${JSON.stringify(id)},"at":${at}}`;

const hashOf = ({ name, data, executionId }: NewEvent): string =>
  hash("sha256", JSON.stringify([name, data, executionId]), "base64url");

function repeated(db: Database, event: NewEvent): Sending | null {
  const { accountId, id, at } = event;
  const known = db.get<KnownId>(KNOWN, accountId, id, at);
  if (known === undefined) return null;
  if (known.hash === hashOf(event)) {
    return { event: known.event, id, at: known.at, reached: known.reached, live: [], done: true, repeated: true };
  }
  throw fail("CONFLICT", { message: `id: ${JSON.stringify(id)} was used for another event.`, param: "id" });
}

/** Number of the execution that an event is for; EXECUTION_NOT_FOUND, or CONFLICT when it is over. */
function addressee(db: Database, accountId: string, executionId: string): number {
  const row = db.get<{ number: number; status: number }>(FIND_EXECUTION, executionId, accountId);
  if (row === undefined) throw fail("EXECUTION_NOT_FOUND", { id: executionId });
  if (row.status <= STATUS.waiting) return row.number;
  throw fail("CONFLICT", { message: "The run is over: no event can reach it.", execution_id: executionId });
}

function checkKept(db: Database, { event, maxKept }: SendParams, execution: number | null): void {
  const { accountId, name, at } = event;
  const { n, bytes } = (execution === null
    ? db.get<Kept>(KEPT_BY_NAME, accountId, name, at)
    : db.get<Kept>(KEPT_BY_EXECUTION, execution, name)) ?? { n: 0, bytes: 0 };
  const refuse = (what: string, max: number, limit: string, value: number) => {
    const message = `events: ${value} ${what}of the name ${JSON.stringify(name)} are kept, the limit is ${max} (${limit})`;
    return fail("RATE_LIMITED", { message, limit, value });
  };
  if (n >= maxKept) throw refuse("", maxKept, "maxKeptEvents", n);
  const size = bytes + Buffer.byteLength(event.data);
  if (n > 0 && size > MAX_KEPT_BYTES) throw refuse("bytes ", MAX_KEPT_BYTES, "MAX_KEPT_BYTES", bytes);
}

/** Sends the next portion of an event. */
function advance(db: Database, event: EventRow, { max, now }: { max: number; now: number }): Sending {
  const { number, id, at, expires_at: expires, execution, account_id: account } = event;
  const { cursor, live, reached: more } = deliverEvent(db, event, max);
  const reached = event.reached + more;
  db.run(MOVE, cursor, reached, number);
  db.run(COUNT, reached, account, id, number);
  const isKept = expires === null || expires > now;
  if (cursor === null && !isKept) db.run(OF_NOBODY, number);
  // An execution has an event that is meant for it once: it is not kept for its later waits.
  if (execution !== null && reached > 0) db.run("UPDATE events SET expires_at = ? WHERE number = ?", at, number);
  return { event: number, id, at, reached, live, done: cursor === null, repeated: false };
}

function send(db: Database, params: SendParams): Sending {
  const { event, idUntil, max } = params;
  const { accountId, name, id, at, keepUntil } = event;
  const known = idUntil === null ? null : repeated(db, event);
  if (known !== null) return known;
  const execution = event.executionId === null ? null : addressee(db, accountId, event.executionId);
  if (keepUntil === null || keepUntil > at) checkKept(db, params, execution);
  if (execution !== null) db.run("UPDATE executions SET waits = 1 WHERE number = ? AND waits = 0", execution);
  const number = db.insert(INSERT, accountId, name, id, execution, at, keepUntil, 0, payloadOf(event)) ?? 0;
  if (idUntil !== null) db.run(REMEMBER, accountId, id, hashOf(event), number, at, idUntil);
  // It must not overtake an event that has not yet reached all.
  if (db.get(BEHIND, accountId, name, number) !== undefined) {
    return { event: number, id, at, reached: 0, live: [], done: false, repeated: false };
  }
  return advance(db, db.get<EventRow>(FIND, number) as EventRow, { max, now: at });
}

function prune(db: Database, now: number, max: number): number {
  let removed = db.run(FORGET_IDS, now, max);
  for (const { number } of db.all<{ number: number }>(EXPIRED, now, max)) {
    if (removed >= max) return removed;
    const forgotten = db.run(FORGET_TAKEN, number, number, max - removed);
    removed += forgotten;
    if (removed < max) removed += db.run(REMOVE, number);
  }
  return removed;
}

/** Events: sent, delivered in portions, forgotten. */
export function createEvents(db: Database, writer: Writer): Events {
  return {
    sendEvent: (params) => writer.write(() => send(db, params)),
    continueEvent: ({ event, max, now }) =>
      writer.write(() => {
        const row = db.get<EventRow>(FIND, event);
        return row === undefined || row.cursor === null ? null : advance(db, row, { max, now });
      }),
    async unfinishedEvents() {
      type Unfinished = { readonly event: number; readonly accountId: string; readonly name: string };
      return db.all<Unfinished>(UNFINISHED).toSorted((a, b) => a.event - b.event);
    },
    pruneEvents: ({ now, max }) => writer.write(() => prune(db, now, max)),
  };
}
