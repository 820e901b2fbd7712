import type { ErrorRecord } from "../../../runtime/index.ts";
import type { Execution, Page, Schedule, ScheduleDefinition } from "../rows.ts";

/** Which schedule, of whom. */
interface ScheduleKey {
  readonly accountId: string;
  readonly scheduleId: string;
}

/** Schedules: when which workflow is started by itself. */
export interface ScheduleStore {
  /** Adds a schedule; CONFLICT when the workflow has one of that name, WORKFLOW_NOT_FOUND, RATE_LIMITED when the account has `max` already. */
  addSchedule(params: {
    readonly schedule: ScheduleDefinition & Pick<Schedule, "id" | "accountId" | "workflowId" | "paused" | "nextAt">;
    readonly max: number;
    readonly now: number;
  }): Promise<Schedule>;
  /** Replaces what a schedule says; false when unknown. */
  redefineSchedule(
    params: ScheduleKey & {
      readonly definition: Omit<ScheduleDefinition, "name">;
      readonly nextAt: number | null;
      readonly now: number;
    },
  ): Promise<boolean>;
  /** Nothing is started until it is resumed; false when unknown. */
  pauseSchedule(params: ScheduleKey & { readonly now: number }): Promise<boolean>;
  /** Goes on with the slot `nextAt`; false when unknown. */
  resumeSchedule(params: ScheduleKey & { readonly nextAt: number | null; readonly now: number }): Promise<boolean>;
  /** False when unknown; its executions stay. */
  removeSchedule(params: ScheduleKey): Promise<boolean>;
  /**
   * Makes the schedules of a workflow that come from its script equal to `schedules`, if `versionId` is the active one:
   * known names keep id and pause (and their next slot when cron, zone and end stay the same), others are added or removed.
   */
  syncSchedules(params: {
    readonly accountId: string;
    readonly workflowId: string;
    readonly versionId: string;
    readonly schedules: readonly (ScheduleDefinition & Pick<Schedule, "id" | "nextAt">)[];
    readonly now: number;
  }): Promise<void>;
  findSchedule(params: ScheduleKey): Promise<Schedule | null>;
  /** Newest first. */
  listSchedules(params: {
    readonly accountId: string;
    readonly workflowId: string | null;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Schedule>>;
  /** Schedules of all accounts to look at now, the longest due first. */
  dueSchedules(params: { readonly now: number; readonly max: number }): Promise<readonly Schedule[]>;
  /** Earliest time at which {@link dueSchedules} finds one; null when none waits. */
  nextDueSchedule(): Promise<number | null>;
  /** Schedules that have got past `now`: the clock was put back. */
  schedulesAhead(params: { readonly now: number; readonly max: number }): Promise<readonly Schedule[]>;
  /** Notes how far a schedule has got; false when it was changed or removed since `revision`. */
  advanceSchedule(params: {
    readonly scheduleId: string;
    readonly revision: number;
    /** Next slot; null = no more. */
    readonly nextAt: number | null;
    /** When to look again; null = never. */
    readonly dueAt: number | null;
    readonly queuedUntil: number | null;
    /** Newest slot dealt with; null = unknown (the clock was put back). */
    readonly reachedAt: number | null;
    /** Slots not started because of the overlap policy, in addition to those before. */
    readonly skipped: number;
    /** Why the newest slot could not be started; null when it could. */
    readonly error: ErrorRecord | null;
  }): Promise<boolean>;
  /**
   * Executions that a schedule started, newest slot first. What ties them to it is their idempotency key,
   * `schedule:<schedule id>:<slot>`: a second execution of a slot is refused for as long as the first is stored.
   */
  scheduledRuns(
    params: ScheduleKey & { readonly limit: number; readonly offset: number },
  ): Promise<readonly Execution[]>;
  /** Ties an execution of the account, whose key is its caller's own, to the schedule under a slot; nothing when it is tied or either is unknown. */
  tieToSchedule(params: ScheduleKey & { readonly slot: string; readonly executionId: string }): Promise<void>;
  /** UUIDs of the executions that have not ended, among the newest 100 that a schedule started. */
  unfinishedRuns(params: ScheduleKey): Promise<readonly string[]>;
  /** UUID of the execution of one slot; null when it was not started. */
  scheduledRun(params: ScheduleKey & { readonly slot: string }): Promise<string | null>;
}
