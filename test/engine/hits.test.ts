import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Chunk } from "../../runtime/index.ts";
import type { RunQuery } from "../../src/engine/run-list.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { makeDataDir } from "../support/data-dir.ts";

const SCRIPT = 'export async function execute(ctx) { ctx.emit("p", 1); ctx.write("hi"); return "hi" }';

let dataDir: Awaited<ReturnType<typeof makeDataDir>>;
let core: TestCore;

const start = () => startTestCore({ WEFT_DATA_DIR: dataDir.path });
const list = (filter: RunQuery["filter"] = {}) =>
  core.engine.listExecutions({ accountId: core.accountId, ref: "hi", filter, limit: 1_000, offset: 0, cursor: null });

beforeEach(async () => {
  dataDir = await makeDataDir();
  core = await start();
  await core.deploy("hi", SCRIPT);
  await core.run("hi", { input: 1 });
});

afterEach(async () => {
  await core.close();
  expect(core.reported).toEqual([]);
  await dataDir.remove();
});

describe("answers from the result cache", () => {
  test("are written many at a time", async () => {
    const written = vi.spyOn(core.store, "recordHits");
    const all = await Promise.all(Array.from({ length: 200 }, () => core.run("hi", { input: 1 })));
    expect(new Set(all.map((result) => result.status))).toEqual(new Set(["completed"]));
    expect((await list()).total).toBe(201);
    expect(written.mock.calls.length).toBeLessThanOrEqual(4);
    expect(written.mock.calls.flatMap(([{ hits }]) => hits)).toHaveLength(200);
  });

  test("are seen by every reader at once: as a run, in lists, with their chunks", async () => {
    const { executionId } = await core.invoke("hi", { input: 1 });
    expect((await list({ statuses: ["completed"] })).items[0]?.id).toBe(executionId);
    const again = await core.invoke("hi", { input: 1 });
    const chunks = await core.engine.readChunks({
      accountId: core.accountId,
      executionId: again.executionId,
      from: 1,
      limit: 9,
    });
    expect(chunks).toMatchObject([{ index: 1, content: '"hi"', text: true }]);
    const last = await core.invoke("hi", { input: 1 });
    const found = await core.engine.findExecution({ accountId: core.accountId, executionId: last.executionId });
    expect(found).toMatchObject({ state: { status: "completed", cached: true, output: '"hi"' }, chunkCount: 2 });
    await expect(
      core.engine.findExecution({ accountId: "other", executionId: last.executionId }),
    ).rejects.toMatchObject({ code: "EXECUTION_NOT_FOUND" });
  });

  test("reach a reader that begins later from where it wants, and are over when they are cancelled", async () => {
    const invocation = await core.invoke("hi", { input: 1, mode: "stream" });
    const seen: Chunk[] = [];
    invocation.subscribe((chunks) => seen.push(...chunks), 1)();
    await invocation.cancel();
    expect(seen.map(({ index }) => index)).toEqual([1]);
    expect(await invocation.result).toMatchObject({ status: "completed", content: "hi", streamedText: true });
  });

  test("are on the disk before a call in the background is accepted", async () => {
    const order: string[] = [];
    const record = core.store.recordHits.bind(core.store);
    vi.spyOn(core.store, "recordHits").mockImplementation((params) =>
      record(params).then(() => void order.push("row")),
    );
    await core.invoke("hi", { input: 1, mode: "background" });
    expect(order).toEqual(["row"]);
  });

  test("are on the disk before a call in the background is accepted, also when its row is the one that fills a portion", async () => {
    const order: string[] = [];
    const record = core.store.recordHits.bind(core.store);
    vi.spyOn(core.store, "recordHits").mockImplementation(async (params) => {
      await record(params);
      order.push(...params.hits.map(({ execution }) => execution.id));
    });
    const calls = Array.from({ length: 64 }, () => core.invoke("hi", { input: 1, mode: "background" }));
    for (const call of calls) expect(order).toContain((await call).executionId);
    const waiting = Array.from({ length: 63 }, () => core.invoke("hi", { input: 1 }));
    const last = await core.invoke("hi", { input: 1, mode: "background" });
    expect(order).toContain(last.executionId);
    await Promise.all(waiting);
  });

  test("are refused to a call in the background when the disk refuses their row", async () => {
    vi.spyOn(core.store, "recordHits").mockRejectedValueOnce(new Error("disk full"));
    await expect(core.invoke("hi", { input: 1, mode: "background" })).rejects.toThrow("disk full");
  });

  test("are written by a clean stop", async () => {
    const { executionId } = await core.invoke("hi", { input: 1 });
    await core.close();
    core = await start();
    const found = await core.engine.findExecution({ accountId: core.accountId, executionId });
    expect(found.state).toMatchObject({ status: "completed", cached: true });
  });

  test("vanish with their workflow, also those not yet written", async () => {
    await core.invoke("hi", { input: 1 });
    await core.workflows.remove({ accountId: core.accountId, key: "hi" });
    await core.deploy("hi", SCRIPT);
    expect((await list()).total).toBe(0);
  });
});
