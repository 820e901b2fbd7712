import type { Graph } from "../../graph/types.ts";
import type { ScheduleService } from "../schedules/schedule-service.ts";
import type { Workflow } from "../types.ts";

/** Name of the schedule of a graph's starter. */
const NAME = "starter";
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** Cron text of an interval in seconds; null where no cron text says it. */
function cronOf(seconds: number): string | null {
  if (seconds < MINUTE || seconds % MINUTE !== 0) return null;
  if (HOUR % seconds === 0) return seconds === HOUR ? "0 * * * *" : `*/${seconds / MINUTE} * * * *`;
  if (seconds % HOUR === 0 && DAY % seconds === 0) return seconds === DAY ? "0 0 * * *" : `0 */${seconds / HOUR} * * *`;
  return null;
}

/** The cron text and the time zone that a starter asks for; null where it asks for none. */
export function starterCron({ nodes }: Graph): { readonly cron: string; readonly timezone: string } | null {
  const config = nodes.find(({ type }) => type === "starter")?.config ?? {};
  if (config["schedule_enabled"] === false) return null;
  const timezone = typeof config["schedule_timezone"] === "string" ? config["schedule_timezone"] : "UTC";
  const text = config["schedule_cron"] ?? config["schedule_expression"];
  if (typeof text === "string" && text.trim() !== "") return { cron: text.trim(), timezone };
  const seconds = config["schedule_interval"] ?? config["schedule_interval_seconds"];
  const cron = typeof seconds === "number" ? cronOf(seconds) : null;
  return cron === null ? null : { cron, timezone };
}

async function findSchedule(schedules: ScheduleService, { accountId, id }: Workflow) {
  const { items } = await schedules.list({ accountId, ref: id, limit: 100, offset: 0 });
  return items.find(({ name, origin }) => name === NAME && origin === "api") ?? null;
}

/** Makes the schedule of a workflow what its starter says while it is deployed; removes it where there is none. */
export async function syncStarter(
  workflow: Workflow,
  graph: Graph | null,
  { schedules, deployed }: { readonly schedules: ScheduleService; readonly deployed: boolean },
): Promise<void> {
  const wanted = graph === null || !deployed ? null : starterCron(graph);
  const known = await findSchedule(schedules, workflow);
  const { accountId, ref } = workflow;
  if (wanted === null) {
    if (known !== null) await schedules.remove({ accountId, scheduleId: known.id });
  } else if (known === null)
    await schedules.create({ ...wanted, accountId, ref, name: NAME, input: "{}", paused: false });
  else await schedules.update({ accountId, scheduleId: known.id, changes: wanted });
}
