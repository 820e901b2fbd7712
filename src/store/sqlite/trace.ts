import type { JournalRecord } from "../../../runtime/index.ts";
import type { Excerpt, Store, TraceEntry } from "../store.ts";
import type { Database } from "./database.ts";
import { ArgsReader } from "./journal-texts.ts";
import { createNodeUsage } from "./node-usage.ts";

type Params = Parameters<Store["readTrace"]>[0];

interface Row {
  readonly seq: number;
  readonly pos: number;
  readonly op: string;
  readonly kind: "result" | "error";
  readonly at: number;
  readonly hasArgs: number;
  readonly payload: string;
  readonly payloadLength: number;
  readonly startedAt: number | null;
  readonly durationMs: number;
  readonly attempts: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
  readonly model: string | null;
  readonly node: string | null;
  readonly childId: string | null;
}

/** UTF-16 units read for one page; what is over follows with the next. */
const MAX_PAGE_CHARS = 16 * 1024 * 1024;

const FIND = "SELECT number FROM executions WHERE id = ? AND account_id = ?";
const READ = `SELECT j.seq, j.pos, j.op, j.kind, j.at, j.args IS NOT NULL AS hasArgs, substr(j.payload, 1, ?) AS payload,
  length(j.payload) AS payloadLength, j.started_at AS startedAt, j.duration_ms AS durationMs, j.attempts,
  j.prompt_tokens AS promptTokens, j.completion_tokens AS completionTokens, j.cost_usd AS costUsd, j.model, j.node,
  c.id AS childId FROM journal j
  LEFT JOIN executions c INDEXED BY executions_by_parent ON c.parent_id = ? AND c.parent_pos = j.pos
  WHERE j.execution = ? AND j.seq >= ? AND j.kind <> 'part' ORDER BY j.seq`;
const PARKING = "SELECT waited_ms AS waitedMs, parked_at AS parkedAt FROM executions WHERE id = ? AND account_id = ?";

function meterOf(row: Row): JournalRecord["meter"] {
  const { startedAt, durationMs, attempts, promptTokens, completionTokens, costUsd, model, node } = row;
  if (startedAt === null) return null;
  const meter = { startedAt, durationMs, attempts, promptTokens, completionTokens, costUsd, model };
  return node === null ? meter : { ...meter, node };
}

function toEntry(row: Row, args: string | null, maxChars: number): TraceEntry {
  const { seq, pos, op, kind, at, payload, payloadLength, childId } = row;
  const shown: Excerpt | null = args === null ? null : { text: args.slice(0, maxChars), length: args.length };
  // SQLite counts characters: those beyond the first 65,536 of Unicode are two UTF-16 units each.
  const left = Math.max(0, payloadLength - maxChars);
  const result = { text: payload, length: payload.length + left };
  return { seq, pos, op, kind, at, args: shown, payload: result, meter: meterOf(row), childId };
}

function readTrace(db: Database, params: Params): { entries: TraceEntry[]; next: number | null } {
  const { accountId, executionId, from, limit, maxChars } = params;
  const entries: TraceEntry[] = [];
  const found = db.get<{ number: number }>(FIND, executionId, accountId);
  if (found === undefined) return { entries, next: null };
  const texts = new ArgsReader(db, found.number);
  let chars = 0;
  for (const row of db.iterate<Row>(READ, maxChars, executionId, found.number, from)) {
    if (entries.length === limit || chars > MAX_PAGE_CHARS) return { entries, next: row.seq };
    const args = row.hasArgs === 0 ? null : texts.read(row.seq);
    chars += row.payload.length + (args?.length ?? 0);
    entries.push(toEntry(row, args, maxChars));
  }
  return { entries, next: null };
}

/** Finished ops of an execution and its waits, for whoever looks at it. */
export function createTraces(db: Database): Pick<Store, "readTrace" | "readParking" | "usageByNode"> {
  return {
    ...createNodeUsage(db),
    async readTrace(params) {
      return readTrace(db, params);
    },
    async readParking({ accountId, executionId }) {
      return db.get<{ waitedMs: number; parkedAt: number | null }>(PARKING, executionId, accountId) ?? null;
    },
  };
}
