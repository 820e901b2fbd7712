import type { Execution, Page, Schedule, ScheduleDefinition } from "../types.ts";

/** Which schedule, of whom. */
export interface ScheduleKey {
  readonly accountId: string;
  readonly scheduleId: string;
}

/** A new schedule; absent members have the defaults of a script's `config.schedule`. */
export interface NewSchedule extends Partial<ScheduleDefinition> {
  readonly accountId: string;
  /** The workflow. */
  readonly ref: string;
  readonly cron: string;
  readonly paused: boolean;
}

/** Schedules: what starts workflows by the clock. Throws WorkflowError; NOT_FOUND for an unknown schedule. */
export interface ScheduleService {
  /** INVALID_REQUEST naming the member; WORKFLOW_NOT_FOUND; CONFLICT when the name is taken. */
  create(schedule: NewSchedule): Promise<Schedule>;
  /** Newest first; null = of all workflows. */
  list(params: {
    readonly accountId: string;
    readonly ref: string | null;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Schedule>>;
  find(key: ScheduleKey): Promise<Schedule>;
  /** Absent members keep their value; CONFLICT for one that the script's config defines. */
  update(params: ScheduleKey & { readonly changes: Partial<Omit<ScheduleDefinition, "name">> }): Promise<Schedule>;
  pause(key: ScheduleKey): Promise<Schedule>;
  /** Goes on with the next slot from now; what passed meanwhile is not made up for. */
  resume(key: ScheduleKey): Promise<Schedule>;
  /** CONFLICT for one that the script's config defines. */
  remove(key: ScheduleKey): Promise<void>;
  /** Starts an execution now, beside the slots; resolves to its id. With an idempotency key that was used for the same schedule: to the first one's; CONFLICT for one used for anything else. */
  run(key: ScheduleKey & { readonly idempotencyKey: string | null }): Promise<string>;
  /** The executions it started last, newest first. */
  runs(params: ScheduleKey & { readonly limit: number; readonly offset: number }): Promise<readonly Execution[]>;
  /** The next slots, milliseconds since the epoch; none while it is paused. */
  nextRuns(schedule: Schedule): readonly number[];
}
