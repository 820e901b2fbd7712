import { fail, type JournalRecord, type OpMeter, type ReplayRecord } from "../../../runtime/index.ts";
import type { Lease, Store } from "../store.ts";
import type { Database, Value } from "./database.ts";
import type { EarlierTexts } from "./earlier-texts.ts";
import type { Holder } from "./holder.ts";
import { ArgsReader, baseOf, restore, storeArgs, storePart } from "./journal-texts.ts";
import type { Writer } from "./writer.ts";

interface JournalRow extends Omit<JournalRecord, "meter">, Omit<OpMeter, "startedAt" | "node"> {
  readonly payloadDelta: string | null;
  readonly argsDelta: string | null;
  readonly startedAt: number | null;
  readonly node: string | null;
}

const APPENDABLE = `SELECT number,
  (SELECT seq FROM journal WHERE execution = executions.number ORDER BY seq DESC LIMIT 1) AS last
  FROM executions WHERE id = ? AND fence = ? AND status = 1`;
const INSERT = `INSERT INTO journal (execution, seq, pos, kind, op, hash, at, payload, payload_delta, args, args_delta,
  started_at, duration_ms, attempts, prompt_tokens, completion_tokens, cost_usd, model, node)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const READ = `SELECT seq, pos, kind, op, hash, at, payload, payload_delta AS payloadDelta, args, args_delta AS argsDelta,
  started_at AS startedAt, duration_ms AS durationMs, attempts, prompt_tokens AS promptTokens,
  completion_tokens AS completionTokens, cost_usd AS costUsd, model, node
  FROM journal WHERE execution = ? AND seq >= ? ORDER BY seq LIMIT ?`;
const READ_REPLAY = `SELECT seq, pos, kind, op, hash, at, payload, payload_delta, started_at IS NOT NULL,
  prompt_tokens, completion_tokens, cost_usd FROM journal WHERE execution = ? ORDER BY seq`;
const NOTHING = { text: null, delta: null };
const NOT_METERED: readonly Value[] = [null, null, null, null, null, null, null, null];

function meterColumns({ meter }: JournalRecord): readonly Value[] {
  if (meter === null) return NOT_METERED;
  const { startedAt, durationMs, attempts, promptTokens, completionTokens, costUsd, model, node = null } = meter;
  return [startedAt, durationMs, attempts, promptTokens, completionTokens, costUsd, model, node];
}

/** Adds deliveries whose numbers were checked. */
export function insertRecords(
  db: Database,
  { number: execution }: Pick<Holder, "number">,
  records: readonly JournalRecord[],
  earlier: EarlierTexts,
): void {
  for (const record of records) {
    const { seq, pos, kind, op, hash, at, payload, args } = record;
    earlier.meet(execution, seq);
    const place = { execution, seq, pos };
    const part = kind === "part" ? storePart(earlier, place, payload) : null;
    if (part === null) earlier.endParts(execution, pos);
    const shown = args === null ? NOTHING : storeArgs(db, earlier, place, args);
    // A part that rests on an earlier one is of the same op.
    const [ownOp, ownHash] = part === null || part.delta === null ? [op, hash] : ["", ""];
    const texts = [part?.text ?? payload, part?.delta ?? null, shown.text, shown.delta];
    db.run(INSERT, execution, seq, pos, kind, ownOp, ownHash, at, ...texts, ...meterColumns(record));
  }
}

function append(db: Database, lease: Lease, records: readonly JournalRecord[], earlier: EarlierTexts): void {
  const { executionId, fence } = lease;
  const holder = db.get<{ readonly number: number; readonly last: number | null }>(APPENDABLE, executionId, fence);
  if (holder === undefined) {
    const message = `The journal of execution ${executionId} takes nothing from lease ${fence}: it is no longer the current one.`;
    throw fail("CONFLICT", { message, executionId, fence });
  }
  let next = (holder.last ?? -1) + 1;
  for (const { seq } of records) {
    if (seq !== next) {
      const message = `The journal of execution ${executionId} expects seq ${next}, not ${seq}.`;
      throw fail("CONFLICT", { message, executionId, expected: next, seq });
    }
    next += 1;
  }
  insertRecords(db, holder, records, earlier);
}

function toMeter(row: JournalRow): JournalRecord["meter"] {
  const { startedAt, durationMs, attempts, promptTokens, completionTokens, costUsd, model, node } = row;
  if (startedAt === null) return null;
  const meter = { startedAt, durationMs, attempts, promptTokens, completionTokens, costUsd, model };
  return node === null ? meter : { ...meter, node };
}

type ReplayRow = readonly [
  ...[seq: number, pos: number, kind: JournalRecord["kind"], op: string, hash: string, at: number],
  ...[payload: string, payloadDelta: string | null],
  ...[isMetered: number, promptTokens: number, completionTokens: number, costUsd: number],
];

/** What whole deliveries are put together from. */
type PartRow = Pick<JournalRow, "seq" | "op" | "hash" | "payload" | "payloadDelta">;

/** Puts whole deliveries together from rows that come in order; what rests on one that did not come is read. */
class Reader {
  readonly #db: Database;
  readonly #execution: number;
  readonly #args: ArgsReader;
  /** Whole parts. */
  readonly #parts = new Map<number, Pick<JournalRow, "op" | "hash" | "payload">>();

  constructor(db: Database, execution: number) {
    this.#db = db;
    this.#execution = execution;
    this.#args = new ArgsReader(db, execution);
  }

  read(row: JournalRow): JournalRecord {
    const { seq, pos, kind, at, args: text, argsDelta } = row;
    const { op, hash, payload } = kind === "part" ? this.#part(row) : row;
    const args = text === null ? null : this.#args.whole(seq, { text, delta: argsDelta });
    return { seq, pos, kind, op, hash, payload, at, args, meter: toMeter(row) };
  }

  replay(row: ReplayRow): ReplayRecord {
    const [seq, pos, kind, op, hash, at, payload, payloadDelta, isMetered, ...used] = row;
    const [promptTokens, completionTokens, costUsd] = used;
    const own = { seq, op, hash, payload, payloadDelta };
    const whole = kind === "part" ? this.#part(own) : own;
    const meter = isMetered === 1 ? { promptTokens, completionTokens, costUsd } : null;
    return { seq, pos, kind, op: whole.op, hash: whole.hash, payload: whole.payload, at, args: null, meter };
  }

  #part(row: PartRow): Pick<JournalRow, "op" | "hash" | "payload"> {
    const stored = { text: row.payload, delta: row.payloadDelta };
    const base = baseOf(stored);
    if (base === null) {
      this.#parts.set(row.seq, row);
      return row;
    }
    const whole = this.#parts.get(base) ?? this.#db.get<JournalRow>(READ, this.#execution, base, 1) ?? row;
    this.#parts.set(base, whole);
    return { op: whole.op, hash: whole.hash, payload: restore(stored, whole.payload) };
  }
}

/** Reads an execution's deliveries; none of an unknown one. */
function readWith<T>(db: Database, executionId: string, read: (reader: Reader, number: number) => T[]): T[] {
  const found = db.get<{ number: number }>("SELECT number FROM executions WHERE id = ?", executionId);
  return found === undefined ? [] : read(new Reader(db, found.number), found.number);
}

/** Deliveries of an execution, in order and without gaps. */
export function createJournal(
  db: Database,
  writer: Writer,
  earlier: EarlierTexts,
): Pick<Store, "appendJournal" | "readJournal" | "readReplay"> {
  return {
    // Every refusal comes before the first change: no savepoint is needed.
    appendJournal: ({ lease, records }) => writer.writeUnguarded(() => append(db, lease, records, earlier)),
    async readJournal({ executionId }) {
      return readWith(db, executionId, (reader, number) =>
        db.all<JournalRow>(READ, number, 0, -1).map((row) => reader.read(row)),
      );
    },
    async readReplay({ executionId }) {
      return readWith(db, executionId, (reader, number) =>
        db.lists<ReplayRow>(READ_REPLAY, number).map((row) => reader.replay(row)),
      );
    },
  };
}
