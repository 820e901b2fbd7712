import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ExecutionJob } from "../../runtime/execution.ts";
import { esbuildsOf, hostsOf, killHard } from "../support/host-processes.ts";
import { until } from "../support/until.ts";
import { type Attempt, type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

let runtime: BareRuntime;

beforeAll(async () => {
  runtime = await startBareRuntime();
});
beforeEach(() => runtime.stub.always({}));
afterAll(() => runtime.close());

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** First a quick call, then one that takes `slowMs`. */
const PATIENT = scriptOf(`
  const ask = async (text) => (await ctx.chat.completions.create({ messages: [{ role: "user", content: text }] })).choices[0].message.content;
  const first = await ask("quick " + ctx.input);
  ctx.emit("first", first);
  return [first, await ask("slow " + ctx.input)];`);
const slow = (slowMs: number) => (body: Readonly<Record<string, unknown>>) =>
  (body["messages"] as { content: string }[])[0]?.content.startsWith("slow") ? { delayMs: slowMs } : {};

async function startPatient(count: number): Promise<readonly Attempt[]> {
  const jobs: ExecutionJob[] = [];
  for (let input = 0; input < count; input++) jobs.push(await runtime.job(PATIENT, { input }));
  const attempts = jobs.map((job) => runtime.start(job));
  await until(() => attempts.every(({ host }) => host.emitted.length > 0));
  await wait(30);
  return attempts;
}

function killHosts(): void {
  for (const pid of hostsOf(process.pid)) killHard(pid);
}

async function expectPatient(attempts: readonly Attempt[]): Promise<void> {
  for (const [input, attempt] of attempts.entries()) {
    expect(await runtime.goOn(attempt)).toMatchObject({
      status: "completed",
      output: `["stub: quick ${input}","stub: slow ${input}"]`,
    });
  }
}

test("a builtin that cannot be interrupted costs its own execution only", async () => {
  runtime.stub.always(slow(3_000));
  const attempts = await startPatient(5);
  const quick = runtime.stub.calls.length;
  const stuck = await runtime.job(scriptOf(`return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);`), {
    limits: { turnMs: 200 },
  });
  expect(await runtime.finish(stuck)).toMatchObject({ status: "failed", error: { code: "CPU_LIMIT_EXCEEDED" } });
  runtime.stub.always({});
  for (const { outcome } of attempts) expect(await outcome).toMatchObject({ status: "lost", suspect: false });
  await expectPatient(attempts);
  const repeated = runtime.stub.calls.slice(quick).filter(({ body }) => JSON.stringify(body).includes("quick"));
  expect(repeated).toEqual([]);
});

test("a host that dies with nobody on the CPU makes no suspects", async () => {
  runtime.stub.always(slow(2_000));
  const attempts = await startPatient(4);
  const { hostsReplaced } = runtime.stats();
  killHosts();
  runtime.stub.always({});
  for (const { outcome } of attempts) expect(await outcome).toMatchObject({ status: "lost", suspect: false });
  await expectPatient(attempts);
  await until(() => runtime.stats().hostsReplaced > hostsReplaced);
});

test("whoever was on the CPU when its host died is the suspect, and is heard again alone", async () => {
  const script = scriptOf(`ctx.emit("busy", 1); await ctx.sleep(1);
    const end = ctx.input; let n = 0; while (n < end) n++;
    return n;`);
  const job = await runtime.job(script, { input: 600_000_000, limits: { turnMs: 20_000, cpuMs: 20_000 } });
  const attempt = runtime.start(job);
  await until(() => attempt.host.emitted.length > 0);
  await wait(100);
  killHosts();
  expect(await attempt.outcome).toMatchObject({
    status: "lost",
    suspect: true,
    cause: { code: "MEMORY_LIMIT_EXCEEDED" },
  });
  expect(await runtime.goOn(attempt)).toMatchObject({ status: "completed", output: "600000000" });
});

test("a script that aborts its process is named, those beside it are not", async () => {
  runtime.stub.always(slow(3_000));
  const attempts = await startPatient(3);
  const bomb = await runtime.job(scriptOf(`return Array.from({ length: 2 ** 32 - 1 }).length;`));
  const outcome = await runtime.goOn(runtime.start(bomb));
  const cause = outcome.status === "lost" ? outcome.cause : outcome.status === "failed" ? outcome.error : null;
  expect(cause?.code).toMatch(/^(MEMORY|CPU)_LIMIT_EXCEEDED$/);
  runtime.stub.always({});
  await expectPatient(attempts);
});

test("what was delivered before a host died is in the journal, so that chunks stay true", async () => {
  runtime.stub.always(slow(2_000));
  const job = await runtime.job(
    scriptOf(`
    const order = [];
    const tick = (name, ms) => new Promise((resolve) => setTimeout(() => { order.push(name); ctx.emit("tick", name); resolve(); }, ms));
    await Promise.all([tick("c", 9), tick("a", 1), tick("b", 5)]);
    const at = Date.now();
    ctx.emit("at", at);
    await ctx.chat.completions.create({ messages: [{ role: "user", content: "slow" }] });
    return [...order, at];`),
  );
  const attempt = runtime.start(job);
  await until(() => attempt.host.emitted.length >= 4);
  killHosts();
  expect(await attempt.outcome).toMatchObject({ status: "lost" });
  expect(attempt.host.records.map(({ op }) => op)).toEqual(["timer", "timer", "timer"]);
  runtime.stub.always({});
  const again = await runtime.goOn(attempt);
  expect(again.host.emitted).toEqual(attempt.host.emitted);
  const emitted = attempt.host.emitted.map(({ content }) => JSON.parse(content));
  expect(again.status === "completed" && JSON.parse(again.output ?? "")).toEqual(emitted);
});

test("an isolate that runs out of memory takes its own executions with it, not those of other versions", async () => {
  runtime.stub.always(slow(1_500));
  const attempts = await startPatient(2);
  const pids = hostsOf(process.pid);
  const hungry = await runtime.job(
    scriptOf(
      `const kept = []; for (;;) { kept.push("x".repeat(1000) + kept.length); if (kept.length % 1000 === 0) await ctx.sleep(0); }`,
    ),
    { limits: { memoryMb: 32 } },
  );
  const outcome = await runtime.goOn(runtime.start(hungry));
  const cause = outcome.status === "lost" ? outcome.cause : outcome.status === "failed" ? outcome.error : null;
  expect(cause).toMatchObject({ code: "MEMORY_LIMIT_EXCEEDED" });
  expect(hostsOf(process.pid)).toEqual(expect.arrayContaining([...pids]));
  for (const { outcome: result } of attempts) expect(await result).toMatchObject({ status: "completed" });
});

test("a spare that dies is replaced like any other host", async () => {
  const pids = () => runtime.stats().hosts.map(({ pid }) => pid);
  await runtime.finish(await runtime.job(scriptOf("return 1;")));
  const before = hostsOf(process.pid);
  killHosts();
  // After a death there is a spare beside the host in use, the younger of the two.
  // One that never was ready is not replaced at once: it would only fail again.
  const fresh = () =>
    pids().length === 2 && runtime.stats().hosts.every(({ pid, ready }) => ready && !before.includes(pid));
  await expect.poll(fresh).toBe(true);
  const [inUse, spare] = pids();
  killHard(spare ?? 0);
  await expect.poll(() => pids().length === 2 && !pids().includes(spare ?? 0)).toBe(true);
  expect(pids()).toContain(inUse);
});

test.runIf(process.platform === "linux")(
  "the kernel takes hosts and esbuild before the server when memory runs out",
  async () => {
    await runtime.job(scriptOf("return 'never bundled before';"));
    const score = (pid: number | "self") => Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
    for (const children of [hostsOf(process.pid), esbuildsOf(process.pid)]) {
      expect(children.length).toBeGreaterThan(0);
      for (const child of children) expect(score(child)).toBe(1_000);
    }
    expect(score("self")).toBeLessThan(1_000);
  },
);
