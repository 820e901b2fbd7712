import { afterAll, beforeAll, expect, test } from "vitest";
import { type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

let runtime: BareRuntime;

beforeAll(async () => {
  runtime = await startBareRuntime();
});
afterAll(() => runtime.close());

test("everything a script emits and logs arrives before its outcome, also when it returns at once", async () => {
  const job = await runtime.job(
    scriptOf(`for (let i = 0; i < 20; i++) { ctx.emit("n", i); ctx.log("line " + i); } ctx.write("end"); return 1;`),
  );
  for (let round = 0; round < 30; round++) {
    const { host, ...outcome } = await runtime.finish({ ...job, executionId: `00000000-0000-4000-9000-${round}` });
    expect(outcome.status).toBe("completed");
    expect(host.emitted.map(({ index }) => index)).toEqual(Array.from({ length: 21 }, (_, index) => index));
    expect(host.lines.map(({ message }) => message)).toEqual(Array.from({ length: 20 }, (_, i) => `line ${i}`));
  }
});

test("a script that fails at once has emitted what it emitted", async () => {
  const job = await runtime.job(scriptOf(`ctx.emit("last", 1); throw new Error("now");`));
  const { host, ...outcome } = await runtime.finish(job);
  expect(outcome).toMatchObject({ status: "failed", error: { code: "EXECUTION_FAILED", message: "now" } });
  expect(host.emitted).toHaveLength(1);
});
