import type { Store } from "../store.ts";
import type { Database } from "./database.ts";
import { insertHit } from "./new-execution.ts";
import { appendOutput } from "./output.ts";
import type { Writer } from "./writer.ts";

const KNOWN = "SELECT 1 AS found FROM workflows WHERE id = ?";

/** Rows of executions that the result cache answered. */
export function createHits(db: Database, writer: Writer): Pick<Store, "recordHits"> {
  return {
    recordHits: ({ hits }) =>
      writer.write(() => {
        const known = new Map<string, boolean>();
        for (const hit of hits) {
          const { workflowId } = hit.execution;
          const isKnown = known.get(workflowId) ?? db.get(KNOWN, workflowId) !== undefined;
          known.set(workflowId, isKnown);
          if (!isKnown) continue;
          const number = insertHit(db, hit);
          if (hit.chunks.length > 0) appendOutput(db, number, { chunks: hit.chunks, logs: [] });
        }
      }),
  };
}
