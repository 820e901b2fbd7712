import type { Store } from "../store.ts";
import type { Database } from "./database.ts";
import { enqueue, findChild } from "./enqueue.ts";
import { readExecution } from "./execution-row.ts";
import { listExecutions } from "./list-executions.ts";
import { endedState, insertExecution, runningState } from "./new-execution.ts";
import { appendOutput } from "./output.ts";
import type { Writer } from "./writer.ts";

type Executions = Pick<
  Store,
  "enqueue" | "startExecution" | "recordExecution" | "findExecution" | "findChild" | "listExecutions"
>;

/** Rows of executions: made, found, listed. */
export function createExecutions(db: Database, writer: Writer): Executions {
  return {
    enqueue: ({ execution, gates = null }) => writer.write(() => enqueue(db, execution, gates)),
    startExecution({ execution, ...start }) {
      const started = writer.writeUnguarded(() => {
        insertExecution(db, execution, runningState(start));
        return { executionId: execution.id, fence: 1 };
      });
      // Callers may leave it unawaited: a failure shows in their next write, which finds no row.
      started.catch(() => undefined);
      return started;
    },
    recordExecution: (params) =>
      writer.writeUnguarded(() => {
        const resultOf = "resultOf" in params.ending ? params.ending.resultOf : null;
        const number = insertExecution(db, params.execution, endedState(params), resultOf);
        appendOutput(db, number, params);
      }),
    async findExecution({ accountId, executionId }) {
      return readExecution(db, "e.id = ? AND e.account_id = ?", executionId, accountId);
    },
    async findChild({ parentId, parentPos }) {
      return findChild(db, parentId, parentPos);
    },
    listExecutions: (params) => listExecutions(db, params),
  };
}
