import { afterEach, expect, test } from "vitest";
import { scriptOf, send, untilStatus } from "../engine/waiting.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { makeDataDir } from "../support/data-dir.ts";
import { until } from "../support/until.ts";

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A data directory, and servers on it one after the other. */
async function servers(): Promise<() => Promise<TestCore>> {
  const directory = await makeDataDir();
  open.push({ close: directory.remove });
  return async () => {
    const core = await startTestCore({ WEFT_DATA_DIR: directory.path });
    open.push(core);
    return core;
  };
}

async function resultOf(core: TestCore, executionId: string): Promise<unknown> {
  await untilStatus(core, executionId, "completed");
  const { state } = await core.engine.findExecution({ accountId: core.accountId, executionId });
  return state.status === "completed" ? JSON.parse(state.output ?? "null") : state;
}

test("waits, kept events and questions survive a restart", async () => {
  const start = await servers();
  const first = await start();
  await first.deploy(
    "waiter",
    scriptOf(`
    const one = await ctx.waitFor("one");
    const two = await ctx.waitFor("two");
    const { approved } = await ctx.approve({ title: "Go on?" });
    return [one.data, two.data, approved];`),
  );
  const { executionId } = await first.invoke("waiter", { mode: "background" });
  await untilStatus(first, executionId, "waiting", 1);
  await send(first, "two", 2, { executionId });
  await first.close();

  const second = await start();
  const { accountId } = second;
  await send(second, "one", 1);
  await untilStatus(second, executionId, "waiting", 1);
  const { items } = await second.waiting.approvals({ accountId, limit: 1, offset: 0 });
  await second.close();

  const third = await start();
  const question = await third.waiting.approval({ accountId, approvalId: items[0]?.id ?? "" });
  const verdict = { approved: true, data: null, comment: null, by: "Ada", via: "link", address: "" } as const;
  await third.waiting.decide(question, verdict);
  expect(await resultOf(third, executionId)).toEqual([1, 2, true]);
});

test("a wait whose time passed while there was no server is over at once", async () => {
  const start = await servers();
  const first = await start();
  await first.deploy("timed", scriptOf(`return [await ctx.waitFor("never", { timeout: "9s" })];`));
  const { executionId } = await first.invoke("timed", { mode: "background" });
  await untilStatus(first, executionId, "waiting", 1);
  const [wait] = await first.waiting.waitsOf({ accountId: first.accountId, executionId });
  await first.close();
  await new Promise((resolve) => setTimeout(resolve, (wait?.until ?? 0) - Date.now()));

  const second = await start();
  expect(await send(second, "never", 1)).toMatchObject({ reached: 0 });
  expect(await resultOf(second, executionId)).toEqual([null]);
});

test("an event that was half sent reaches the rest after a restart", async () => {
  const start = await servers();
  const first = await start();
  await first.deploy("crowd", scriptOf(`return (await ctx.waitFor("crowd")).data;`));
  const runs = await Promise.all([1, 2, 3].map(() => first.invoke("crowd", { mode: "background" })));
  for (const { executionId } of runs) await untilStatus(first, executionId, "waiting", 1);
  const at = Date.now();
  const event = { accountId: first.accountId, name: "crowd", id: "e", data: "5", executionId: null, at, keepUntil: at };
  expect(await first.store.sendEvent({ event, idUntil: null, max: 1, maxKept: 1 })).toMatchObject({ done: false });
  await first.close();

  const second = await start();
  for (const { executionId } of runs) expect(await resultOf(second, executionId)).toBe(5);
});

test("a child that waits ends with its parent, also when both were left by an earlier server", async () => {
  const start = await servers();
  const first = await start();
  await first.deploy("child", scriptOf(`return (await ctx.waitFor("child")).data;`));
  const call = `ctx.workflow.completions.create({ model: "workflow:child" })`;
  await first.deploy("parent", scriptOf(`return (await ${call}).output;`));
  const { accountId } = first;
  const parents = await Promise.all([1, 2].map(() => first.invoke("parent", { mode: "background" })));
  const childOf = async (core: TestCore, parent: number) => {
    const parentId = parents[parent]?.executionId ?? "";
    return (await until(() => core.store.findChild({ parentId, parentPos: 0 }))).id;
  };
  const children = [await childOf(first, 0), await childOf(first, 1)] as const;
  for (const id of children) await untilStatus(first, id, "waiting", 1);
  await first.close();

  const second = await start();
  const [stopped, kept] = parents.map(({ executionId }) => executionId) as [string, string];
  await untilStatus(second, stopped, "running");
  await second.engine.cancel({ accountId, executionId: stopped });
  await untilStatus(second, children[0], "cancelled");
  expect(await send(second, "child", 5)).toMatchObject({ reached: 1 });
  expect(await resultOf(second, kept)).toBe(5);
});

test("a child that waits ends with a parent that is cancelled before it goes on", async () => {
  const start = await servers();
  const first = await start();
  await first.deploy("child", scriptOf(`return (await ctx.waitFor("child")).data;`));
  await first.deploy(
    "parent",
    scriptOf(`return (await ctx.workflow.completions.create({ model: "workflow:child" })).output;`),
  );
  const { accountId } = first;
  const { executionId: parentId } = await first.invoke("parent", { mode: "background" });
  const { id: child } = await until(() => first.store.findChild({ parentId, parentPos: 0 }));
  await untilStatus(first, child, "waiting", 1);
  await first.close();

  const second = await start();
  // At once: its claim, its replay and the request to stop it meet in any order.
  await second.engine.cancel({ accountId, executionId: parentId });
  await untilStatus(second, child, "cancelled");
});

test("a waiting run with secrets cannot go on after a restart, and says so", async () => {
  const start = await servers();
  const first = await start();
  await first.deploy("secret", scriptOf(`return (await ctx.waitFor("go")).data;`));
  const { executionId } = await first.invoke("secret", { mode: "background", secrets: { key: "very-secret-value" } });
  await untilStatus(first, executionId, "waiting", 1);
  await first.close();

  const second = await start();
  expect(await send(second, "go", 1)).toMatchObject({ reached: 1 });
  await untilStatus(second, executionId, "failed");
  const { state } = await second.engine.findExecution({ accountId: second.accountId, executionId });
  expect(state).toMatchObject({ error: { code: "SECRETS_LOST" } });
});
