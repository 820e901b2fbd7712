import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import { entry, start, worldOf } from "../fixtures.ts";
import { temporaryDirectory } from "./directory.ts";

it("stores equal arguments of a workflow's ops once", async () => {
  const file = join(temporaryDirectory(), "weft.db");
  const world = await worldOf(await createSqliteStore({ file, durability: "full" }));
  for (let run = 0; run < 3; run += 1) {
    const lease = await start(world);
    const records = [entry(0, { args: '{"same":true}' }), entry(1, { args: '{"same":true}' }), entry(2)];
    await world.store.appendJournal({ lease, records });
    expect(await world.store.readJournal({ executionId: lease.executionId })).toEqual(records);
  }
  await world.store.close();
  const db = new DatabaseSync(file);
  expect(db.prepare("SELECT text FROM arguments").all()).toEqual([{ text: '{"same":true}' }]);
  db.close();
});
