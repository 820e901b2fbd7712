import type { CacheHit, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { countHits, insertHit } from "./new-execution.ts";
import { appendOutput } from "./output.ts";
import type { Writer } from "./writer.ts";

const KNOWN = "SELECT 1 AS found FROM workflows WHERE id = ?";

function addHits(db: Database, hits: readonly CacheHit[]): void {
  for (const hit of hits) {
    const number = insertHit(db, hit);
    if (hit.chunks.length > 0) appendOutput(db, number, { chunks: hit.chunks, logs: [] });
  }
}

/** Rows of executions that the result cache answered. */
export function createHits(db: Database, writer: Writer): Pick<Store, "recordHits"> {
  return {
    recordHits: ({ hits }) =>
      writer.write(() => {
        for (const [workflowId, group] of Map.groupBy(hits, (hit) => hit.execution.workflowId)) {
          const [first] = group;
          if (first === undefined || db.get(KNOWN, workflowId) === undefined) continue;
          addHits(db, group);
          countHits(db, first.execution, group.length);
        }
      }),
  };
}
