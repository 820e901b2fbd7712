import { randomUUID } from "node:crypto";
import { fail } from "../../../runtime/index.ts";
import type { Schedule, ScheduleDefinition, Store, Workflow } from "../../store/store.ts";
import type { Engine } from "../engine.ts";
import { nextSlot, nextSlots } from "./cron.ts";
import { checkDefinition, DEFAULTS, firstSlot, type Refuse } from "./definition.ts";
import { runManually } from "./manual-run.ts";
import type { NewSchedule, ScheduleKey, ScheduleService } from "./schedule-service.ts";
import { createScheduler, type Scheduler } from "./scheduler.ts";

/** What schedules stand on. */
export interface ScheduleOptions {
  readonly store: Store;
  readonly engine: Pick<Engine, "invoke" | "cancel" | "findKeyed">;
  readonly report: (error: unknown) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Schedules and what looks at them. */
export interface Schedules extends ScheduleService, Scheduler {}

/** Schedules of an account. */
const MAX_SCHEDULES = 10_000;
/** Slots shown ahead. */
const SHOWN_SLOTS = 5;
const MAX_SHOWN = 100;

const refuse: Refuse = (param, rule, value) => {
  const shown = JSON.stringify(value)?.slice(0, MAX_SHOWN);
  return fail("INVALID_REQUEST", { message: `${param}: must be ${rule}, got ${shown}`, param });
};

/** A new id of a schedule. */
export const newScheduleId = (): string => `sched_${randomUUID().replaceAll("-", "")}`;

function toDefinition(schedule: NewSchedule): ScheduleDefinition {
  const { name, cron, timezone, input, catchUp, overlap, endAt } = schedule;
  return {
    name: name ?? DEFAULTS.name,
    cron,
    timezone: timezone ?? DEFAULTS.timezone,
    input: input ?? null,
    catchUp: catchUp ?? DEFAULTS.catchUp,
    overlap: overlap ?? DEFAULTS.overlap,
    endAt: endAt ?? null,
  };
}

function mustBeOfApi({ origin, name }: Schedule): void {
  if (origin === "api") return;
  const message = `The schedule ${JSON.stringify(name)} is defined by the script (config.schedule): deploy a version that says otherwise, or pause it.`;
  throw fail("CONFLICT", { message });
}

const unknown = ({ scheduleId }: ScheduleKey) => fail("NOT_FOUND", { message: `Schedule not found: ${scheduleId}` });

async function findWorkflow(store: Store, accountId: string, ref: string): Promise<Workflow> {
  const workflow = await store.findWorkflow({ accountId, key: ref });
  if (workflow === null) throw fail("WORKFLOW_NOT_FOUND", { ref });
  return workflow;
}

/** Makes the service and its scheduler; nothing is started before {@link Scheduler.start}. */
export function createSchedules(options: ScheduleOptions): Schedules {
  const { store, now } = options;
  const scheduler = createScheduler(options);

  const find = async (key: ScheduleKey): Promise<Schedule> => {
    const found = await store.findSchedule(key);
    if (found === null) throw unknown(key);
    return found;
  };
  const changed = async (key: ScheduleKey, change: Promise<boolean>): Promise<Schedule> => {
    if (!(await change)) throw unknown(key);
    scheduler.wake();
    return find(key);
  };

  return {
    ...scheduler,
    async create(asked) {
      const { accountId, ref, paused } = asked;
      const definition = toDefinition(asked);
      checkDefinition(definition, refuse);
      const nextAt = firstSlot(definition, now(), refuse);
      const { id: workflowId } = await findWorkflow(store, accountId, ref);
      const schedule = { ...definition, id: newScheduleId(), accountId, workflowId, paused, nextAt };
      const added = await store.addSchedule({ schedule, max: MAX_SCHEDULES, now: now() });
      scheduler.wake();
      return added;
    },
    async list({ accountId, ref, limit, offset }) {
      const workflow = ref === null ? null : await findWorkflow(store, accountId, ref);
      return store.listSchedules({ accountId, workflowId: workflow?.id ?? null, limit, offset });
    },
    find,
    async update({ changes, ...key }) {
      const schedule = await find(key);
      mustBeOfApi(schedule);
      const definition = { ...schedule, ...changes };
      checkDefinition(definition, refuse);
      const nextAt = firstSlot(definition, now(), refuse);
      return changed(key, store.redefineSchedule({ ...key, definition, nextAt, now: now() }));
    },
    pause: (key) => changed(key, store.pauseSchedule({ ...key, now: now() })),
    async resume(key) {
      const nextAt = nextSlot(await find(key), now());
      return changed(key, store.resumeSchedule({ ...key, nextAt, now: now() }));
    },
    async remove(key) {
      mustBeOfApi(await find(key));
      if (!(await store.removeSchedule(key))) throw unknown(key);
    },
    run: async ({ idempotencyKey, ...key }) => runManually(await find(key), idempotencyKey, options),
    async runs({ limit, offset, ...key }) {
      await find(key);
      return store.scheduledRuns({ ...key, limit, offset });
    },
    nextRuns(schedule) {
      const { nextAt } = schedule;
      return nextAt === null ? [] : [nextAt, ...nextSlots(schedule, nextAt, SHOWN_SLOTS - 1)];
    },
  };
}
