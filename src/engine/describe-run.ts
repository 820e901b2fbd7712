import type { CtxData } from "../../runtime/index.ts";
import type { Store } from "../store/store.ts";
import type { LiveRuns } from "./live-runs.ts";
import type { OpenSpan, RunDetail, TracePage, TraceQuery } from "./run-detail.ts";
import type { Execution } from "./types.ts";

/** Children named with one run; more are found in the list of runs. */
const MAX_CHILDREN = 100;

type Timings = RunDetail["timings"];

/** Where the time of an execution went; `waitedMs` is the time it was parked. */
export function timingsOf({ createdAt, runAt, state }: Execution, waitedMs: number, now: number): Timings {
  const startedAt = "startedAt" in state ? state.startedAt : null;
  const until = "finishedAt" in state ? state.finishedAt : now;
  const queuedMs = Math.max(0, (startedAt ?? until) - Math.max(createdAt, runAt));
  const busyMs = startedAt === null ? 0 : Math.max(0, until - startedAt);
  const waitingMs = Math.min(waitedMs, busyMs);
  return { queuedMs, runningMs: busyMs - waitingMs, waitingMs };
}

async function waitedMs(store: Store, { accountId, id: executionId }: Execution, now: number): Promise<number> {
  const parking = await store.readParking({ accountId, executionId });
  if (parking === null) return 0;
  return parking.waitedMs + (parking.parkedAt === null ? 0 : Math.max(0, now - parking.parkedAt));
}

/** Everything about one stored execution. */
export async function describeRun(execution: Execution, store: Store): Promise<RunDetail> {
  const { accountId, id: parentId } = execution;
  const now = Date.now();
  const page = { limit: MAX_CHILDREN, offset: 0, after: null };
  const { items } = await store.listExecutions({ accountId, filter: { parentId }, ...page });
  const { input, messages, params, metadata } = JSON.parse(execution.data) as CtxData;
  const isCached = execution.state.status === "completed" && execution.state.cached;
  return {
    execution,
    resultOf: isCached ? await store.resultOf({ accountId, executionId: parentId }) : null,
    asked: { input, messages, params, metadata },
    timings: timingsOf(execution, await waitedMs(store, execution, now), now),
    children: items.map(({ id }) => id),
  };
}

const NESTED_OP = "workflow.completions.create";

/** The calls of a running execution that have not finished, as far as this process knows: those of other workflows. */
function openSpans(executionId: string, live: LiveRuns): readonly OpenSpan[] {
  const children = [...(live.get(executionId)?.children ?? [])];
  return children.map(({ id, call }) => ({
    pos: call.execution.parentPos ?? 0,
    op: NESTED_OP,
    startedAt: call.execution.createdAt,
    childId: id,
  }));
}

/** Part of the trace of an execution that was found before. */
export async function readTrace(query: TraceQuery, store: Store, live: LiveRuns): Promise<TracePage> {
  const { entries, next } = await store.readTrace(query);
  return { spans: entries, next, open: next === null ? openSpans(query.executionId, live) : [] };
}
