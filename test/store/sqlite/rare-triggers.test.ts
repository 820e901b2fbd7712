import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import { addSchedule } from "../contract/schedules.ts";
import { addEndpoint } from "../contract/webhooks.ts";
import { worldOf } from "../fixtures.ts";
import { temporaryDirectory } from "./directory.ts";

const RARE = ["executions_scheduled", "executions_told", "executions_told_at_once"];

function triggersOf(file: string): readonly string[] {
  const db = new DatabaseSync(file);
  const rows = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name").all();
  db.close();
  return rows.map(({ name }) => String(name)).filter((name) => RARE.includes(name));
}

it("the triggers of schedules and webhooks exist only while there are any", async () => {
  const file = join(temporaryDirectory(), "weft.db");
  const open = () => createSqliteStore({ file, durability: "relaxed" });
  await (await open()).close();
  expect(triggersOf(file)).toEqual([]);
  const store = await open();
  const world = await worldOf(store);
  const endpoint = await addEndpoint(world);
  const schedule = await addSchedule(world);
  await store.close();
  expect(triggersOf(file)).toEqual(RARE);
  const again = await open();
  const accountId = world.account.id;
  await again.removeEndpoint({ accountId, endpointId: endpoint.id });
  await again.removeSchedule({ accountId, scheduleId: schedule.id });
  await again.close();
  await (await open()).close();
  expect(triggersOf(file)).toEqual([]);
});
