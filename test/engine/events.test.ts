import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../support/core.ts";
import { until } from "../support/until.ts";
import { background, outputOf, scriptOf, send, untilStatus } from "./waiting.ts";

let core: TestCore;

beforeAll(async () => {
  core = await startTestCore();
});
afterAll(() => core.close());

describe("ctx.waitFor", () => {
  test("parks the run, gives its isolate up and resolves to the event", async () => {
    const run = await background(core, "plain", `const event = await ctx.waitFor("paid"); return event;`);
    await untilStatus(core, run.executionId, "waiting", 1);
    expect(core.runtime.stats().running).toBe(0);
    const sent = await send(core, "paid", { amount: 5 });
    expect(sent).toMatchObject({ reached: 1, repeated: false });
    expect(await outputOf(run)).toEqual({ name: "paid", data: { amount: 5 }, id: sent.id, at: sent.at });
    expect(core.reported).toEqual([]);
  });

  test("keeps the log complete over parking, lines about unhandled rejections included", async () => {
    const run = await background(
      core,
      "rejects",
      `for (let i = 0; i < 100; i++) {
        await ctx.sleep(1);
        if (i % 40 === 14) Promise.reject(new Error("lost " + i));
        ctx.log("line " + i);
      }
      await ctx.waitFor("more");
      ctx.log("last");
      return 1;`,
    );
    const { executionId } = run;
    await untilStatus(core, executionId, "waiting", 1);
    const asked = { accountId: core.accountId, executionId, from: 0, limit: 200 };
    const before = (await core.engine.readLogs(asked)).map(({ message }) => message);
    expect(before.filter((message) => message.startsWith("Unhandled rejection: "))).toHaveLength(3);
    await send(core, "more", 1, { executionId });
    expect(await outputOf(run)).toBe(1);
    expect((await core.engine.readLogs(asked)).map(({ message }) => message)).toEqual([...before, "last"]);
  });

  test("takes what matches and nothing else", async () => {
    const run = await background(
      core,
      "match",
      `return (await ctx.waitFor("order", { match: { "order.id": 7 } })).data.note;`,
    );
    await untilStatus(core, run.executionId, "waiting", 1);
    expect(await send(core, "order", { order: { id: 8 } })).toMatchObject({ reached: 0 });
    expect(await send(core, "order", { order: { id: 7 }, note: "mine" })).toMatchObject({ reached: 1 });
    expect(await outputOf(run)).toBe("mine");
  });

  test("gives null once the timeout has passed, in memory and parked", async () => {
    await core.deploy("brief", scriptOf(`return [await ctx.waitFor("never", { timeout: 20 })];`));
    expect(await outputOf(await core.invoke("brief"))).toEqual([null]);
  });

  test("takes events in the order in which they were sent, also those sent before it waits", async () => {
    const run = await background(
      core,
      "ordered",
      `const seen = [];
      while (seen.at(-1) !== "end") seen.push((await ctx.waitFor("step")).data);
      return seen;`,
    );
    const { executionId } = run;
    const sent = [1, 2, 3, "end"].map((data) => send(core, "step", data, { executionId }));
    await Promise.all(sent);
    expect(await outputOf(run)).toEqual([1, 2, 3, "end"]);
  });

  test("is delivered live while another call is under way, and while a caller waits", async () => {
    await core.deploy(
      "live",
      scriptOf(`ctx.emit("ready", 1);
      const nap = new Promise((resolve) => setTimeout(resolve, 60_000, "nap"));
      return (await Promise.race([nap, ctx.waitFor("go")])).data;`),
    );
    const run = await core.invoke("live");
    await untilStatus(core, run.executionId, "running", 1);
    expect(await send(core, "go", "now")).toMatchObject({ reached: 1 });
    expect(await outputOf(run)).toBe("now");
  });

  test("races with a long sleep", async () => {
    const run = await background(
      core,
      "race",
      `const event = await Promise.race([ctx.waitFor("race"), ctx.sleep("1h").then(() => "slept")]);
      const late = await ctx.waitFor("late");
      return [event.data, late.data];`,
    );
    const { executionId } = run;
    await untilStatus(core, executionId, "waiting", 1);
    const { state } = await core.engine.findExecution({ accountId: core.accountId, executionId });
    expect(state).toMatchObject({ status: "waiting", sleeps: [{ until: expect.any(Number) }] });
    await send(core, "race", 1);
    await untilStatus(core, executionId, "waiting", 1);
    await send(core, "late", 2, { executionId });
    expect(await outputOf(run)).toEqual([1, 2]);
  });

  test("one event reaches all that wait for it, each once", async () => {
    const body = `const [a, b] = [ctx.waitFor("all"), ctx.waitFor("all", { timeout: "1h" })];
      return [(await a).data, (await b).data];`;
    const runs = await Promise.all([1, 2, 3].map((n) => background(core, `all-${n}`, body)));
    for (const { executionId } of runs) await untilStatus(core, executionId, "waiting", 2);
    expect(await send(core, "all", 1)).toMatchObject({ reached: 3 });
    for (const { executionId } of runs) await untilStatus(core, executionId, "waiting", 1);
    expect(await send(core, "all", 2)).toMatchObject({ reached: 3 });
    for (const run of runs) expect(await outputOf(run)).toEqual([1, 2]);
  });

  test("names the field of a bad argument", async () => {
    const cases = [
      [`ctx.waitFor("")`, "waitFor: name"],
      [`ctx.waitFor(7)`, "waitFor: name"],
      [`ctx.waitFor("x".repeat(201))`, "201 characters, over 200"],
      [`ctx.waitFor("a", { match: [1] })`, "waitFor: match"],
      [`ctx.waitFor("a", { match: { "a..b": 1 } })`, "empty part"],
      [`ctx.waitFor("a", { match: { a: "x".repeat(5000) } })`, "over 4096"],
      [`ctx.waitFor("a", { timeout: "soon" })`, "got soon"],
    ] as const;
    for (const [call, why] of cases) {
      await core.deploy("bad", scriptOf(`await ${call}; return 1;`));
      expect(await outputOf(await core.invoke("bad", { mode: "sync" }))).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(why),
      });
    }
  });

  test("is limited in number", async () => {
    await core.deploy(
      "many",
      scriptOf(`await Promise.all(Array.from({ length: 501 }, (_, n) => ctx.waitFor("n" + n)));`),
    );
    expect(await outputOf(await core.invoke("many"))).toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: "waitFor, approve: 501 waits at the same time, over 500 (maxWaits)",
    });
  });

  test("makes a run impure: it is never answered from the cache", async () => {
    await core.deploy("impure", scriptOf(`return (await ctx.waitFor("x", { timeout: 1 })) ?? 1;`));
    await core.run("impure");
    expect((await core.invoke("impure")).cache).toBe("miss");
  });
});

describe("a waiting run", () => {
  test("with secrets goes on in memory, and never stores them", async () => {
    await core.deploy(
      "secret",
      scriptOf(`
      const event = await ctx.waitFor("with-secret");
      return ctx.secrets.key === "very-secret-value" && event.data;`),
    );
    const run = await core.invoke("secret", { secrets: { key: "very-secret-value" }, mode: "background" });
    await untilStatus(core, run.executionId, "waiting", 1);
    await send(core, "with-secret", "ok");
    expect(await outputOf(run)).toBe("ok");
    await core.deploy("leak", scriptOf(`await ctx.waitFor("x", { match: { k: ctx.secrets.key } }); return 1;`));
    const leak = await core.invoke("leak", { secrets: { key: "very-secret-value" } });
    expect(await outputOf(leak)).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("ends at its deadline and when it is cancelled, and its waits with it", async () => {
    const { accountId } = core;
    await core.deploy("waiter", scriptOf(`await ctx.waitFor("nothing"); return 1;`));
    const late = await core.invoke("waiter", { timeoutMs: 8_000 });
    const stopped = await core.invoke("waiter", { mode: "background" });
    await untilStatus(core, stopped.executionId, "waiting", 1);
    await untilStatus(core, late.executionId, "waiting", 1);
    await core.engine.cancel({ accountId, executionId: stopped.executionId });
    expect(await outputOf(stopped)).toMatchObject({ code: "EXECUTION_CANCELLED" });
    expect(await outputOf(late)).toMatchObject({ code: "EXECUTION_TIMEOUT" });
    for (const { executionId } of [stopped, late]) {
      expect(await core.waiting.waitsOf({ accountId, executionId })).toEqual([]);
      await expect(send(core, "nothing", 1, { executionId })).rejects.toMatchObject({ code: "CONFLICT" });
    }
    expect(await send(core, "nothing", 1)).toMatchObject({ reached: 0 });
  });

  test("that is nested is waited for by its caller", async () => {
    await core.deploy("child", scriptOf(`return (await ctx.waitFor("child")).data;`));
    const run = await background(
      core,
      "parent",
      `return (await ctx.workflow.completions.create({ model: "workflow:child" })).output;`,
    );
    await until(async () => (await send(core, "child", "grown")).reached > 0);
    expect(await outputOf(run)).toBe("grown");
  });
});

describe("an event", () => {
  test("that is bad is refused, naming field, limit and value", async () => {
    const bad = (name: string, data: unknown, more = {}) => expect(send(core, name, data, more)).rejects;
    await bad("", 1).toMatchObject({ code: "INVALID_REQUEST", details: { param: "name" } });
    await bad("x".repeat(201), 1).toMatchObject({ message: "name: 201 characters, over 200" });
    await bad("x", 1, { id: "" }).toMatchObject({ details: { param: "id" } });
    await bad("x", "y".repeat(300_000)).toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
      message: "data: 300002 bytes, over 262144 (maxEventBytes)",
    });
    await bad("x", 1, { executionId: "00000000-0000-4000-8000-000000000000" }).toMatchObject({
      code: "EXECUTION_NOT_FOUND",
    });
  });

  test("reaches more waits than one portion holds, and the answer counts them", async () => {
    await core.deploy("crowd", scriptOf(`return (await ctx.waitFor("crowd")).data;`));
    const runs = await Promise.all(Array.from({ length: 520 }, () => core.invoke("crowd", { mode: "background" })));
    for (const { executionId } of runs) await untilStatus(core, executionId, "waiting", 1);
    expect(await send(core, "crowd", 1)).toMatchObject({ reached: 520 });
    for (const run of runs) expect(await outputOf(run)).toBe(1);
  });
});
