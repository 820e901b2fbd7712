import { hash } from "node:crypto";
import { fail, type JournalRecord } from "../../../runtime/index.ts";
import type { Lease, Store } from "../store.ts";
import type { Database, Value } from "./database.ts";
import { type Holder, holderOf } from "./holder.ts";
import type { Writer } from "./writer.ts";

interface JournalRow extends Omit<JournalRecord, "meter"> {
  readonly startedAt: number | null;
  readonly durationMs: number;
  readonly attempts: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
  readonly model: string | null;
}

const LAST = "SELECT seq FROM journal WHERE execution = ? ORDER BY seq DESC LIMIT 1";
const INSERT = `INSERT INTO journal (execution, seq, pos, kind, op, hash, at, arguments, payload, started_at, duration_ms,
  attempts, prompt_tokens, completion_tokens, cost_usd, model) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const FIND_ARGUMENTS = "SELECT number FROM arguments WHERE workflow_id = ? AND hash = ?";
const INSERT_ARGUMENTS = "INSERT INTO arguments (workflow_id, hash, text) VALUES (?, ?, ?)";
const READ = `SELECT j.seq, j.pos, j.kind, j.op, j.hash, j.payload, j.at, a.text AS args, j.started_at AS startedAt,
  j.duration_ms AS durationMs, j.attempts, j.prompt_tokens AS promptTokens, j.completion_tokens AS completionTokens,
  j.cost_usd AS costUsd, j.model
  FROM executions e JOIN journal j ON j.execution = e.number LEFT JOIN arguments a ON a.number = j.arguments
  WHERE e.id = ? ORDER BY j.seq`;
const NOT_METERED: readonly Value[] = [null, null, null, null, null, null, null];

/** Key of the arguments' text, stored once per workflow: what repeats is mostly the same workflow asking the same again. */
function argumentsKey(db: Database, workflowId: string, text: string): number | null {
  const key = hash("sha256", text, "base64url");
  const known = db.get<{ number: number }>(FIND_ARGUMENTS, workflowId, key);
  return known === undefined ? db.insert(INSERT_ARGUMENTS, workflowId, key, text) : known.number;
}

function meterColumns({ meter }: JournalRecord): readonly Value[] {
  if (meter === null) return NOT_METERED;
  const { startedAt, durationMs, attempts, promptTokens, completionTokens, costUsd, model } = meter;
  return [startedAt, durationMs, attempts, promptTokens, completionTokens, costUsd, model];
}

/** Adds deliveries whose numbers were checked. */
export function insertRecords(
  db: Database,
  { number, workflow_id: workflowId }: Pick<Holder, "number" | "workflow_id">,
  records: readonly JournalRecord[],
): void {
  for (const record of records) {
    const { seq, pos, kind, op, hash: opHash, at, payload } = record;
    const args = record.args === null ? null : argumentsKey(db, workflowId, record.args);
    db.run(INSERT, number, seq, pos, kind, op, opHash, at, args, payload, ...meterColumns(record));
  }
}

function append(db: Database, lease: Lease, records: readonly JournalRecord[]): void {
  const { executionId, fence } = lease;
  const holder = holderOf(db, lease);
  if (holder === null) {
    const message = `The journal of execution ${executionId} takes nothing from lease ${fence}: it is no longer the current one.`;
    throw fail("CONFLICT", { message, executionId, fence });
  }
  let next = (db.get<{ seq: number }>(LAST, holder.number)?.seq ?? -1) + 1;
  for (const record of records) {
    const { seq } = record;
    if (seq !== next) {
      const message = `The journal of execution ${executionId} expects seq ${next}, not ${seq}.`;
      throw fail("CONFLICT", { message, executionId, expected: next, seq });
    }
    next += 1;
  }
  insertRecords(db, holder, records);
}

function toRecord(row: JournalRow): JournalRecord {
  const { seq, pos, kind, op, hash: opHash, payload, at, args, startedAt, durationMs, attempts, model } = row;
  const { promptTokens, completionTokens, costUsd } = row;
  const meter =
    startedAt === null ? null : { startedAt, durationMs, attempts, promptTokens, completionTokens, costUsd, model };
  return { seq, pos, kind, op, hash: opHash, payload, at, args, meter };
}

/** Deliveries of an execution, in order and without gaps. */
export function createJournal(db: Database, writer: Writer): Pick<Store, "appendJournal" | "readJournal"> {
  return {
    appendJournal: ({ lease, records }) => writer.write(() => append(db, lease, records)),
    async readJournal({ executionId }) {
      return db.all<JournalRow>(READ, executionId).map(toRecord);
    },
  };
}
