import { toExecId } from "../../ids.ts";
import type { DialectDeps } from "../dialect.ts";
import { toBudgetView } from "./budget-view.ts";
import type { RunTarget } from "./run-target.ts";
import { toRunView, versionNumberOf } from "./run-view.ts";
import { toWaitingFor } from "./waiting-view.ts";

function linksOf(id: string, ref: string, parentId: string | null): Record<string, string | null> {
  const self = `/api/v1/runs/${id}`;
  return {
    self,
    trace: `${self}/trace`,
    logs: `${self}/logs`,
    chunks: `${self}/chunks`,
    files: `${self}/files`,
    stream: `${self}/stream`,
    events: `${self}/events`,
    cancel: `${self}/cancel`,
    resume: `${self}/resume`,
    budget: `${self}/budget`,
    children: `/api/v1/runs?parent_run=${id}`,
    parent: parentId === null ? null : `/api/v1/runs/${toExecId(parentId)}`,
    workflow: `/api/v1/workflows/${ref}`,
  };
}

/** The run object with all that is known of it. */
export async function showRunDetail(deps: DialectDeps, target: RunTarget): Promise<object> {
  const { execution, resultOf, asked, timings, children } = await deps.engine.describeRun(target);
  return {
    ...toRunView(execution, await versionNumberOf(deps, execution)),
    result_of: resultOf === null ? null : toExecId(resultOf),
    ...asked,
    budget: await toBudgetView(deps, execution),
    waiting_for: await toWaitingFor(deps, execution),
    timings: { queued_ms: timings.queuedMs, running_ms: timings.runningMs, waiting_ms: timings.waitingMs },
    children: children.map(toExecId),
    links: linksOf(toExecId(execution.id), execution.ref, execution.parentId),
  };
}
