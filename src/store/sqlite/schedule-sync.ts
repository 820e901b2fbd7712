import type { Store } from "../store.ts";
import type { Database } from "./database.ts";
import { insertSchedule, removeSchedule, ruleColumns } from "./schedules.ts";
import type { Writer } from "./writer.ts";

type SyncParams = Parameters<Store["syncSchedules"]>[0];

interface Known {
  readonly id: string;
  readonly name: string;
  readonly origin: string;
}

const IS_ACTIVE = "SELECT 1 AS found FROM workflows WHERE id = ? AND account_id = ? AND active_version_id = ?";
const KNOWN = "SELECT id, name, origin FROM schedules WHERE workflow_id = ? AND account_id = ?";
const SAME_TIMES = "cron = ?1 AND timezone = ?2 AND end_at IS ?6 AND paused = 0";
// The slots that a schedule has dealt with stay so as long as its times are the same.
const TAKE_OVER = `UPDATE schedules SET origin = 'config', next_at = iif(${SAME_TIMES}, next_at, iif(paused = 1, NULL, ?7)),
  due_at = iif(${SAME_TIMES}, due_at, iif(paused = 1, NULL, ?7)), queued_until = iif(${SAME_TIMES}, queued_until, NULL),
  cron = ?1, timezone = ?2, input = ?3, catch_up = ?4, overlap = ?5, end_at = ?6, updated_at = ?8, error = NULL,
  revision = revision + 1 WHERE id = ?9`;

function sync(db: Database, params: SyncParams): void {
  const { accountId, workflowId, versionId, schedules, now } = params;
  if (db.get(IS_ACTIVE, workflowId, accountId, versionId) === undefined) return;
  const known = new Map(db.all<Known>(KNOWN, workflowId, accountId).map((one) => [one.name, one]));
  for (const schedule of schedules) {
    const found = known.get(schedule.name);
    known.delete(schedule.name);
    if (found !== undefined) db.run(TAKE_OVER, ...ruleColumns(schedule), schedule.nextAt, now, found.id);
    else insertSchedule(db, { ...schedule, accountId, workflowId, origin: "config", paused: false }, now);
  }
  for (const { id, origin } of known.values()) if (origin === "config") removeSchedule(db, accountId, id);
}

/** Keeps a workflow's schedules equal to what its active version's script says. */
export function createScheduleSync(db: Database, writer: Writer): Pick<Store, "syncSchedules"> {
  return { syncSchedules: (params) => writer.write(() => sync(db, params)) };
}
