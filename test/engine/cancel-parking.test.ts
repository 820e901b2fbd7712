import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
  await core.deploy("slow", "export const execute = async (ctx) => { await ctx.sleep('1h'); return 1; };");
});
afterAll(() => core.close());

test("an execution that is cancelled at the moment it parks ends", async () => {
  for (let ms = 0; ms < 30; ms++) {
    const { executionId } = await core.invoke("slow", { mode: "background" });
    await sleep(ms / 2);
    await core.engine.cancel({ accountId: core.accountId, executionId });
    const { state } = await core.engine.findExecution({ accountId: core.accountId, executionId });
    expect(state.status).toBe("cancelled");
  }
});
