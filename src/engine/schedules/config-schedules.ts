import type { ScheduleDefinition, Store, Version } from "../../store/store.ts";
import { refuse } from "../config/value.ts";
import { parseScriptConfig } from "../script-config.ts";
import { newScheduleId } from "./create-schedules.ts";
import { nextSlot } from "./cron.ts";
import { firstSlot } from "./definition.ts";

/** Throws BUNDLE_FAILED for a schedule of a script that will never be due. */
export function checkSchedules(schedules: readonly ScheduleDefinition[], now: number): void {
  for (const [i, schedule] of schedules.entries()) {
    const path = schedules.length === 1 ? "config.schedule" : `config.schedule[${i}]`;
    firstSlot(schedule, now, (member, rule, value) => refuse(`${path}.${member}`, rule, value));
  }
}

/** Makes the schedules of a workflow those of a version, once that is the active one; call it in the turn of the activation. */
export function syncSchedules(version: Version, store: Pick<Store, "syncSchedules">, now: number): Promise<void> {
  const { accountId, workflowId, id: versionId, facts } = version;
  const schedules = parseScriptConfig(facts.config).schedules.map((schedule) => ({
    ...schedule,
    id: newScheduleId(),
    nextAt: nextSlot(schedule, now),
  }));
  return store.syncSchedules({ accountId, workflowId, versionId, schedules, now });
}
