import { fail, toRecord } from "../../runtime/index.ts";
import { describeRun, readTrace } from "./describe-run.ts";
import type { Engine } from "./engine.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { cancelRun, removeRun } from "./remove-run.ts";
import { NO_USAGE } from "./result.ts";
import { createResume } from "./resume.ts";
import { createRunList } from "./run-list.ts";
import type { Execution } from "./types.ts";
import { untilDurable } from "./until-durable.ts";
import { watchRun } from "./watch-run.ts";

/** A run that waits in memory for a place is in no store yet. */
function toWaiting({ call }: LiveRun): Execution {
  const attempts = { attempts: 1, retries: 0, lastError: null, resumedAt: null, isGated: false };
  return { ...call.execution, state: { status: "queued" }, usage: NO_USAGE, chunkCount: 0, fence: 0, ...attempts };
}

/** The error of an execution that has waited for money for as long as its workflow's executions are kept. */
const tooLong = () =>
  toRecord(fail("BUDGET_EXCEEDED", { message: "budget: nothing was added for as long as executions are kept." }));

type Told = Pick<
  Engine,
  | "findExecution"
  | "listExecutions"
  | "describeRun"
  | "watchRun"
  | "followNews"
  | "readTrace"
  | "readLogs"
  | "readChunks"
  | "cancel"
  | "remove"
  | "resume"
>;

/** What an engine tells about executions, and how it ends them. */
export interface Queries extends Told {
  /** Ends an execution that waits for money. */
  endShort(target: { readonly accountId: string; readonly executionId: string }): Promise<void>;
}

/** What an engine tells about executions, and how it ends them on request. */
export function createQueries(parts: Parts): Queries {
  const { store, live, hits } = parts;
  const list = createRunList(store);

  /** What is still held back in memory is written first, so that readers see all there is. */
  const find = async (accountId: string, executionId: string): Promise<Execution> => {
    const run = live.get(executionId);
    if (run?.phase === "new" && run.call.execution.accountId === accountId) return toWaiting(run);
    const row = run?.row;
    if (row?.execution.accountId === accountId && row.isHeld) row.start();
    row?.flushOutput();
    void hits.flush();
    const execution = await store.findExecution({ accountId, executionId });
    if (execution === null) throw fail("EXECUTION_NOT_FOUND", { id: executionId });
    await untilDurable(execution, parts);
    return execution;
  };

  return {
    findExecution: ({ accountId, executionId }) => find(accountId, executionId),
    resume: createResume(parts, find),
    listExecutions(query) {
      void hits.flush();
      return list(query);
    },
    describeRun: async ({ accountId, executionId }) => describeRun(await find(accountId, executionId), store),
    async watchRun({ accountId, executionId }) {
      const look = () => find(accountId, executionId);
      return watchRun(await look(), look, parts);
    },
    followNews: ({ accountId, lastId }) => parts.news.follow(accountId, lastId),
    async readTrace(query) {
      await find(query.accountId, query.executionId);
      return readTrace(query, store, live);
    },
    async readLogs({ accountId, executionId, from, limit }) {
      await find(accountId, executionId);
      return store.readLogs({ executionId, from, limit });
    },
    async readChunks({ accountId, executionId, from, limit }) {
      await find(accountId, executionId);
      return store.readChunks({ executionId, from, limit });
    },
    cancel: (target) => cancelRun(target, find, parts),
    endShort: (target) => cancelRun(target, find, parts, tooLong()),
    remove: (target) => removeRun(target, find, parts),
  };
}
