import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { COMPACT_JOURNAL } from "../../../src/store/sqlite/compact-journal.ts";
import { MIGRATIONS } from "../../../src/store/sqlite/migrations.ts";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import { temporaryDirectory } from "./directory.ts";

it("takes arguments over from the table that executions of a workflow shared", async () => {
  const file = join(temporaryDirectory(), "weft.db");
  const before = MIGRATIONS.indexOf(COMPACT_JOURNAL);
  const db = new DatabaseSync(file);
  for (const sql of MIGRATIONS.slice(0, before)) db.exec(sql);
  db.exec(`PRAGMA user_version = ${before};
    INSERT INTO executions (number, id, account_id, workflow_id, status, ready, priority, fence) VALUES (1, 'e', 'a', 'w', 3, 0, 0, 1);
    INSERT INTO arguments (number, workflow_id, hash, text) VALUES (5, 'w', 'h', '{"same":true}');
    INSERT INTO journal (execution, seq, pos, kind, op, hash, at, arguments, payload) VALUES
      (1, 0, 0, 'result', 'o', 'h0', 9, 5, 'p0'), (1, 1, 1, 'part', 'o', 'h1', 9, NULL, 'p1'), (1, 2, 1, 'result', 'o', 'h1', 9, 5, 'p2');`);
  db.close();
  const store = await createSqliteStore({ file, durability: "full" });
  const records = await store.readJournal({ executionId: "e" });
  await store.close();
  const common = { op: "o", at: 9, meter: null };
  expect(records).toEqual([
    { ...common, seq: 0, pos: 0, kind: "result", hash: "h0", payload: "p0", args: '{"same":true}' },
    { ...common, seq: 1, pos: 1, kind: "part", hash: "h1", payload: "p1", args: null },
    { ...common, seq: 2, pos: 1, kind: "result", hash: "h1", payload: "p2", args: '{"same":true}' },
  ]);
});
