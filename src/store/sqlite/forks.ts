import type { Fork, Store } from "../store.ts";
import type { Database } from "./database.ts";
import type { EarlierTexts } from "./earlier-texts.ts";
import { addGates } from "./gates.ts";
import { insertRecords } from "./journal.ts";
import { insertExecution, queuedState } from "./new-execution.ts";
import type { Writer } from "./writer.ts";

/** Schema of forks, apart from the rows of executions: few are one. */
export const FORKS = `
CREATE TABLE forks (
  execution INTEGER PRIMARY KEY, origin_id TEXT NOT NULL, at INTEGER NOT NULL, clock_at REAL NOT NULL
) STRICT;
`;

/** What a fork with an idempotency key was asked for. */
export const FORKS_ASKED = "ALTER TABLE forks ADD COLUMN asked TEXT";

const INSERT = "INSERT INTO forks (execution, origin_id, at, clock_at, asked) VALUES (?, ?, ?, ?, ?)";
const FIND = `SELECT f.origin_id AS originId, f.at, f.clock_at AS clockAt, f.asked FROM executions e
  JOIN forks f ON f.execution = e.number WHERE e.id = ?`;

/** Executions that begin with what another one recorded. */
export function createForks(
  db: Database,
  writer: Writer,
  earlier: EarlierTexts,
): Pick<Store, "enqueueFork" | "findFork"> {
  return {
    enqueueFork: ({ execution, fork, records, gates }) =>
      writer.write(() => {
        const number = insertExecution(db, execution, queuedState(execution));
        db.run(INSERT, number, fork.originId, fork.at, fork.clockAt, fork.asked);
        insertRecords(db, { number }, records, earlier);
        if (gates !== null) addGates(db, number, execution, { gates, isDue: true, now: execution.createdAt });
      }),
    async findFork({ executionId }) {
      return db.get<Fork>(FIND, executionId) ?? null;
    },
  };
}
