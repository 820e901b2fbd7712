import type { Schedule } from "../../../engine/types.ts";
import { toExecId } from "../../ids.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { toErrorMember } from "./errors.ts";
import { inFieldsOfApi } from "./field-names.ts";
import { idempotencyKeyOf, KEY_DOCS } from "./idempotency-key.ts";
import { PAGE_SCHEMA, type PageQuery, pageOf } from "./paging.ts";
import { showRun, toRunSummary, versionNumberOf } from "./run-view.ts";
import { NEW_SCHEDULE_SCHEMA, SCHEDULE_CHANGE_SCHEMA, type ScheduleBody, toScheduleMembers } from "./schedule-body.ts";

const BASE = "/api/v1/schedules";
const tags = ["schedules"];
const params = { type: "object", properties: { id: { type: "string", description: "`sched_<32 hex digits>`" } } };
const LIST_QUERY = {
  ...PAGE_SCHEMA,
  properties: { ...PAGE_SCHEMA.properties, workflow: { type: "string", description: "Ref name, number or UUID" } },
};
/** Runs shown with a schedule. */
const SHOWN_RUNS = 5;

const seconds = (ms: number | null) => (ms === null ? null : ms / 1_000);

async function toView({ workflows }: DialectDeps, schedule: Schedule, requestId: string): Promise<object> {
  const { accountId, workflowId: key, error, input } = schedule;
  const { ref } = await workflows.find({ accountId, key });
  return {
    id: schedule.id,
    object: "schedule",
    name: schedule.name,
    workflow_ref_name: ref,
    cron: schedule.cron,
    timezone: schedule.timezone,
    input: input === null ? null : JSON.parse(input),
    catch_up: schedule.catchUp,
    overlap: schedule.overlap,
    end_at: seconds(schedule.endAt),
    origin: schedule.origin,
    paused: schedule.paused,
    next_run: seconds(schedule.nextAt),
    skipped: schedule.skipped,
    error: error === null ? null : toErrorMember(error, requestId),
    created_at: seconds(schedule.createdAt),
    updated_at: seconds(schedule.updatedAt),
    runs_url: `${BASE}/${schedule.id}/runs`,
  };
}

async function showSchedule(deps: DialectDeps, request: Request, schedule: Schedule): Promise<object> {
  const { accountId, id: scheduleId } = schedule;
  const runs = await deps.schedules.runs({ accountId, scheduleId, limit: SHOWN_RUNS, offset: 0 });
  const lastRuns = runs.map(({ id, state, createdAt }) => ({
    id: toExecId(id),
    status: state.status,
    created_at: seconds(createdAt),
    url: `/api/v1/runs/${toExecId(id)}`,
  }));
  const data = {
    ...(await toView(deps, schedule, request.id)),
    next_runs: deps.schedules.nextRuns(schedule).map(seconds),
    last_runs: lastRuns,
  };
  return { data };
}

function keyOf(deps: DialectDeps, request: Request) {
  const { id } = request.params as { readonly id: string };
  return { accountId: deps.account(request).id, scheduleId: id };
}

function registerReading(app: App, deps: DialectDeps): void {
  const { schedules } = deps;
  const list = { tags, summary: "List schedules, newest first", querystring: LIST_QUERY };
  app.get(BASE, { schema: list }, async (request) => {
    const query = request.query as PageQuery & { readonly workflow?: string };
    const page = pageOf(query);
    const accountId = deps.account(request).id;
    const { items, total } = await schedules.list({ accountId, ref: query.workflow ?? null, ...page });
    const data = await Promise.all(items.map((schedule) => toView(deps, schedule, request.id)));
    return { data, pagination: { total, ...page } };
  });
  app.get(
    `${BASE}/:id`,
    { schema: { tags, summary: "One schedule, with its next and last runs", params } },
    async (request) => showSchedule(deps, request, await schedules.find(keyOf(deps, request))),
  );
  const runs = { tags, summary: "Runs that a schedule started, newest first", params, querystring: PAGE_SCHEMA };
  app.get(`${BASE}/:id/runs`, { schema: runs }, async (request) => {
    const key = keyOf(deps, request);
    const { limit, offset } = pageOf(request.query as PageQuery);
    const found = await schedules.runs({ ...key, limit, offset });
    const data = await Promise.all(found.map(async (run) => toRunSummary(run, await versionNumberOf(deps, run))));
    return { data, pagination: { limit, offset } };
  });
}

function registerChanging(app: App, deps: DialectDeps): void {
  const { schedules } = deps;
  const create = { tags, summary: "Start a workflow by the clock", body: NEW_SCHEDULE_SCHEMA };
  app.post(BASE, { schema: create }, async (request) => {
    const body = request.body as ScheduleBody & { workflow: string; cron: string; paused?: boolean };
    const { workflow: ref, cron, paused = false } = body;
    const asked = { ...toScheduleMembers(body), accountId: deps.account(request).id, ref, cron, paused };
    return showSchedule(deps, request, await inFieldsOfApi(schedules.create(asked)));
  });
  const change = {
    tags,
    summary: "Change a schedule; absent fields keep their value",
    params,
    body: SCHEDULE_CHANGE_SCHEMA,
  };
  app.patch(`${BASE}/:id`, { schema: change }, async (request) => {
    const changes = toScheduleMembers(request.body as ScheduleBody);
    return showSchedule(deps, request, await inFieldsOfApi(schedules.update({ ...keyOf(deps, request), changes })));
  });
  app.delete(
    `${BASE}/:id`,
    { schema: { tags, summary: "Delete a schedule; its runs stay", params } },
    async (request) => {
      await schedules.remove(keyOf(deps, request));
      return { data: { deleted: true } };
    },
  );
}

function registerActing(app: App, deps: DialectDeps): void {
  const { schedules } = deps;
  app.post(
    `${BASE}/:id/pause`,
    { schema: { tags, summary: "Start nothing until it is resumed", params } },
    async (request) => showSchedule(deps, request, await schedules.pause(keyOf(deps, request))),
  );
  const resume = { tags, summary: "Go on with the next run from now", params };
  app.post(`${BASE}/:id/resume`, { schema: resume }, async (request) =>
    showSchedule(deps, request, await schedules.resume(keyOf(deps, request))),
  );
  const run = {
    tags,
    summary: "Run it now, beside the schedule",
    description: KEY_DOCS,
    params,
    response: { 202: { description: "The run, to be polled.", type: "object" } },
  };
  app.post(`${BASE}/:id/run`, { schema: run }, async (request, reply) => {
    const idempotencyKey = idempotencyKeyOf(request.headers);
    const executionId = await schedules.run({ ...keyOf(deps, request), idempotencyKey });
    const data = await showRun(deps, deps.account(request).id, executionId);
    return reply
      .code(202)
      .header("location", `/api/v1/runs/${toExecId(executionId)}`)
      .send({ data });
  });
}

/** Schedules: by what clock which workflow starts by itself. */
export function registerSchedules(app: App, deps: DialectDeps): void {
  registerReading(app, deps);
  registerChanging(app, deps);
  registerActing(app, deps);
}
