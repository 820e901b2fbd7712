import { MessagePort, type Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ExecutionJob } from "../../runtime/execution.ts";
import { type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

const WORKERS = 2;
const threads: Worker[] = [];
const onThread = (worker: Worker) => threads.push(worker);
let runtime: BareRuntime;

beforeAll(async () => {
  process.on("worker", onThread);
  runtime = await startBareRuntime(WORKERS);
});
afterAll(async () => {
  process.off("worker", onThread);
  await runtime.close();
});

const jobsOf = (body: string, count: number): Promise<ExecutionJob[]> =>
  Promise.all(Array.from({ length: count }, (_, input) => runtime.job(scriptOf(body), { input })));

test("runs that begin in one turn go to their workers in one message each, and are spread evenly", async () => {
  const jobs = await jobsOf("await ctx.sleep(200); return ctx.input", 40);
  const posted = vi.spyOn(MessagePort.prototype, "postMessage");
  const attempts = jobs.map((job) => runtime.start(job));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const runsOf = ([message]: readonly unknown[]) =>
    Array.isArray(message) ? message.filter((one: { readonly type?: string }) => one.type === "run").length : 0;
  const counts = posted.mock.calls.map(runsOf).filter((count) => count > 0);
  posted.mockRestore();
  expect(counts).toEqual(Array(WORKERS).fill(jobs.length / WORKERS));
  const ends = await Promise.all(attempts.map((attempt) => attempt.outcome));
  expect(ends.map((end) => end.status === "completed" && end.output)).toEqual(jobs.map((_, input) => String(input)));
});

test("a worker thread that dies is replaced; its runs are lost, not failed, and go on", async () => {
  const jobs = await jobsOf("await ctx.sleep(2_000); return ctx.input", 4);
  const attempts = jobs.map((job) => runtime.start(job));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await Promise.all(threads.splice(0).map((worker) => worker.terminate()));
  const ends = await Promise.all(attempts.map((attempt) => attempt.outcome));
  expect(ends).toMatchObject(jobs.map(() => ({ status: "lost", suspect: false })));
  const again = await Promise.all(attempts.map((attempt) => runtime.goOn(attempt)));
  expect(again).toMatchObject(jobs.map((_, input) => ({ status: "completed", output: String(input) })));
});

test("a bundle that cannot be read costs neither its run nor the worker thread", async () => {
  const [job] = await jobsOf("return ctx.input + 1", 1);
  const before = threads.length;
  runtime.failNextLoad();
  const attempt = runtime.start(job as ExecutionJob);
  expect(await attempt.outcome).toMatchObject({ status: "lost", suspect: false });
  expect(await runtime.goOn(attempt)).toMatchObject({ status: "completed", output: "1" });
  expect(threads).toHaveLength(before);
});

test("an answer that cannot be sent fails its own call and run, and no other", async () => {
  const [broken, fine] = await jobsOf('return (await ctx.waitFor("x")).data', 2);
  const answers: readonly (() => Promise<string>)[] = [
    async () => (() => "a function") as unknown as string,
    async () => '{"name":"x","data":7}',
  ];
  const ends = await Promise.all(
    [broken, fine].map((job, at) => runtime.finish(job as ExecutionJob, { wait: answers[at] ?? (async () => null) })),
  );
  expect(ends).toMatchObject([{ status: "failed" }, { status: "completed", output: "7" }]);
});

test("a worker thread that dies before its hosts are up holds up neither the start nor the close", async () => {
  let connected = 0;
  const kill = (worker: Worker) =>
    worker.on("message", (message: { readonly weftPort?: unknown }) => {
      if (message.weftPort !== undefined && ++connected === 2) worker.terminate();
    });
  process.on("worker", kill);
  const started = await startBareRuntime(2);
  process.off("worker", kill);
  const job = await started.job(scriptOf("return 1"));
  expect(await started.goOn(started.start(job))).toMatchObject({ status: "completed", output: "1" });
  await started.close();
});

test("runs asked for after the close are lost", async () => {
  const closed = await startBareRuntime(1);
  const job = await closed.job(scriptOf("return 1"));
  await closed.close();
  expect(await closed.start(job).outcome).toMatchObject({ status: "lost", suspect: false });
});
