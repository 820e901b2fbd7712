import { type ErrorRecord, fail } from "../../../runtime/index.ts";
import type { Page, Schedule, ScheduleDefinition, Store } from "../store.ts";
import { type Database, sqliteCode, type Value } from "./database.ts";
import { readExecution } from "./execution-row.ts";
import { ensureTrigger, SCHEDULED } from "./rare-triggers.ts";
import type { Writer } from "./writer.ts";

interface ScheduleRow {
  readonly id: string;
  readonly account_id: string;
  readonly workflow_id: string;
  readonly name: string;
  readonly origin: Schedule["origin"];
  readonly cron: string;
  readonly timezone: string;
  readonly input: string | null;
  readonly catch_up: Schedule["catchUp"];
  readonly overlap: Schedule["overlap"];
  readonly end_at: number | null;
  readonly paused: number;
  readonly next_at: number | null;
  readonly queued_until: number | null;
  readonly skipped: number;
  readonly error: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly revision: number;
}

type Schedules = Pick<
  Store,
  | "addSchedule"
  | "redefineSchedule"
  | "pauseSchedule"
  | "resumeSchedule"
  | "removeSchedule"
  | "findSchedule"
  | "listSchedules"
  | "dueSchedules"
  | "nextDueSchedule"
  | "schedulesAhead"
  | "advanceSchedule"
  | "scheduledRuns"
  | "tieToSchedule"
  | "unfinishedRuns"
  | "scheduledRun"
>;

const UNIQUE = 2067;
const INSERT = `INSERT INTO schedules (name, cron, timezone, input, catch_up, overlap, end_at, id, origin, paused, next_at,
  due_at, created_at, updated_at, account_id, workflow_id)
  SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM workflows WHERE id = ? AND account_id = ?)`;
const FIND = "SELECT * FROM schedules WHERE id = ? AND account_id = ?";
// A paused schedule has no next slot; it gets one when it is resumed.
const REDEFINE = `UPDATE schedules SET cron = ?, timezone = ?, input = ?, catch_up = ?, overlap = ?, end_at = ?,
  next_at = iif(paused = 1, NULL, ?), due_at = iif(paused = 1, NULL, ?), queued_until = NULL, error = NULL, updated_at = ?,
  revision = revision + 1 WHERE id = ? AND account_id = ?`;
const PAUSE = `UPDATE schedules SET paused = 1, next_at = NULL, due_at = NULL, queued_until = NULL, updated_at = ?,
  revision = revision + 1 WHERE id = ? AND account_id = ?`;
const RESUME = `UPDATE schedules SET paused = 0, next_at = ?, due_at = ?, queued_until = NULL, updated_at = ?,
  revision = revision + 1 WHERE id = ? AND account_id = ? AND paused = 1`;
const REMOVE_RUNS = "DELETE FROM schedule_runs WHERE schedule_id = ?";
const REMOVE = "DELETE FROM schedules WHERE id = ? AND account_id = ?";
const DUE = `SELECT * FROM schedules INDEXED BY schedules_due WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT ?`;
const NEXT_DUE = "SELECT min(due_at) AS due FROM schedules INDEXED BY schedules_due WHERE due_at IS NOT NULL";
const AHEAD = `SELECT * FROM schedules INDEXED BY schedules_reached WHERE reached_at IS NOT NULL AND reached_at > ? LIMIT ?`;
const ADVANCE = `UPDATE schedules SET next_at = ?, due_at = ?, queued_until = ?, reached_at = ?, skipped = skipped + ?,
  error = ?, revision = revision + 1 WHERE id = ? AND revision = ?`;
const RUNS = "SELECT execution AS number FROM schedule_runs WHERE schedule_id = ? ORDER BY slot DESC LIMIT ? OFFSET ?";
const TIE = `INSERT INTO schedule_runs (schedule_id, slot, execution)
  SELECT s.id, ?, e.number FROM schedules s, executions e
  WHERE s.id = ? AND s.account_id = ? AND e.id = ? AND e.account_id = s.account_id ON CONFLICT DO NOTHING`;
const UNFINISHED = `SELECT e.id FROM (SELECT execution FROM schedule_runs WHERE schedule_id = ? ORDER BY slot DESC LIMIT 100) newest
  CROSS JOIN executions e ON e.number = newest.execution WHERE e.status < 3 AND e.account_id = ?`;
const RUN = `SELECT e.id FROM schedule_runs r JOIN executions e ON e.number = r.execution
  WHERE r.schedule_id = ? AND r.slot = ? AND e.account_id = ?`;

function toSchedule(row: ScheduleRow): Schedule {
  return {
    id: row.id,
    accountId: row.account_id,
    workflowId: row.workflow_id,
    name: row.name,
    origin: row.origin,
    cron: row.cron,
    timezone: row.timezone,
    input: row.input,
    catchUp: row.catch_up,
    overlap: row.overlap,
    endAt: row.end_at,
    paused: row.paused === 1,
    nextAt: row.next_at,
    queuedUntil: row.queued_until,
    skipped: row.skipped,
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorRecord),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    revision: row.revision,
  };
}

/** Columns cron, timezone, input, catch_up, overlap, end_at. */
export function ruleColumns(definition: Omit<ScheduleDefinition, "name">): Value[] {
  const { cron, timezone, input, catchUp, overlap, endAt } = definition;
  return [cron, timezone, input, catchUp, overlap, endAt];
}

type NewSchedule = Parameters<Store["addSchedule"]>[0]["schedule"] & Pick<Schedule, "origin">;

/** Adds the row; WORKFLOW_NOT_FOUND, CONFLICT when the name is taken. */
export function insertSchedule(db: Database, schedule: NewSchedule, now: number): void {
  const { id, accountId, workflowId, name, origin, paused, nextAt } = schedule;
  const due = paused ? null : nextAt;
  const state: Value[] = [id, origin, paused ? 1 : 0, due, due, now, now];
  ensureTrigger(db, SCHEDULED);
  const owner: Value[] = [accountId, workflowId, workflowId, accountId];
  try {
    const added = db.run(INSERT, name, ...ruleColumns(schedule), ...state, ...owner);
    if (added === 0) throw fail("WORKFLOW_NOT_FOUND", { ref: workflowId });
  } catch (error) {
    if (sqliteCode(error) !== UNIQUE) throw error;
    const message = `name: the workflow has a schedule named ${JSON.stringify(name)} already`;
    throw fail("CONFLICT", { message, param: "name", name }, error);
  }
}

/** Removes a schedule and its ties to executions, which stay; false when unknown. */
export function removeSchedule(db: Database, accountId: string, scheduleId: string): boolean {
  if (db.run(REMOVE, scheduleId, accountId) === 0) return false;
  db.run(REMOVE_RUNS, scheduleId);
  return true;
}

function find(db: Database, accountId: string, scheduleId: string): Schedule | null {
  const row = db.get<ScheduleRow>(FIND, scheduleId, accountId);
  return row === undefined ? null : toSchedule(row);
}

function add(db: Database, { schedule, max, now }: Parameters<Store["addSchedule"]>[0]): Schedule {
  const { accountId, id } = schedule;
  const { n } = db.get<{ n: number }>("SELECT count(*) AS n FROM schedules WHERE account_id = ?", accountId) ?? {
    n: 0,
  };
  if (n >= max) {
    const message = `The account has ${n} schedules; at most ${max} are possible (MAX_SCHEDULES). Delete some first.`;
    throw fail("RATE_LIMITED", { message, limit: "MAX_SCHEDULES", value: max });
  }
  insertSchedule(db, { ...schedule, origin: "api" }, now);
  return find(db, accountId, id) as Schedule;
}

function list(db: Database, params: Parameters<Store["listSchedules"]>[0]): Page<Schedule> {
  const { accountId, workflowId, limit, offset } = params;
  const where = workflowId === null ? "account_id = ?" : "workflow_id = ? AND account_id = ?";
  const values = workflowId === null ? [accountId] : [workflowId, accountId];
  const items = db.all<ScheduleRow>(
    `SELECT * FROM schedules WHERE ${where} ORDER BY number DESC LIMIT ? OFFSET ?`,
    ...values,
    limit,
    offset,
  );
  const total = db.get<{ n: number }>(`SELECT count(*) AS n FROM schedules WHERE ${where}`, ...values)?.n ?? 0;
  return { items: items.map(toSchedule), total };
}

function advance(db: Database, params: Parameters<Store["advanceSchedule"]>[0]): boolean {
  const { scheduleId, revision, nextAt, dueAt, queuedUntil, reachedAt, skipped, error } = params;
  const text = error === null ? null : JSON.stringify(error);
  return db.run(ADVANCE, nextAt, dueAt, queuedUntil, reachedAt, skipped, text, scheduleId, revision) === 1;
}

/** Schedules, and which execution started in which of their slots. */
export function createSchedules(db: Database, writer: Writer): Schedules {
  return {
    addSchedule: (params) => writer.write(() => add(db, params)),
    redefineSchedule: ({ accountId, scheduleId, definition, nextAt, now }) =>
      writer.write(
        () => db.run(REDEFINE, ...ruleColumns(definition), nextAt, nextAt, now, scheduleId, accountId) === 1,
      ),
    pauseSchedule: ({ accountId, scheduleId, now }) =>
      writer.write(() => db.run(PAUSE, now, scheduleId, accountId) === 1),
    resumeSchedule: ({ accountId, scheduleId, nextAt, now }) =>
      writer.write(() => {
        if (find(db, accountId, scheduleId) === null) return false;
        db.run(RESUME, nextAt, nextAt, now, scheduleId, accountId);
        return true;
      }),
    removeSchedule: ({ accountId, scheduleId }) => writer.write(() => removeSchedule(db, accountId, scheduleId)),
    findSchedule: async ({ accountId, scheduleId }) => find(db, accountId, scheduleId),
    listSchedules: async (params) => list(db, params),
    dueSchedules: async ({ now, max }) => db.all<ScheduleRow>(DUE, now, max).map(toSchedule),
    nextDueSchedule: async () => db.get<{ due: number | null }>(NEXT_DUE)?.due ?? null,
    schedulesAhead: async ({ now, max }) => db.all<ScheduleRow>(AHEAD, now, max).map(toSchedule),
    advanceSchedule: (params) => writer.write(() => advance(db, params)),
    async scheduledRuns({ accountId, scheduleId, limit, offset }) {
      if (find(db, accountId, scheduleId) === null) return [];
      const numbers = db.all<{ number: number }>(RUNS, scheduleId, limit, offset);
      return numbers.map(({ number }) => readExecution(db, "e.number = ?", number)).filter((item) => item !== null);
    },
    async tieToSchedule({ accountId, scheduleId, slot, executionId }) {
      await writer.write(() => db.run(TIE, slot, scheduleId, accountId, executionId));
    },
    unfinishedRuns: async ({ accountId, scheduleId }) =>
      db.all<{ id: string }>(UNFINISHED, scheduleId, accountId).map(({ id }) => id),
    async scheduledRun({ accountId, scheduleId, slot }) {
      return db.get<{ id: string }>(RUN, scheduleId, slot, accountId)?.id ?? null;
    },
  };
}
