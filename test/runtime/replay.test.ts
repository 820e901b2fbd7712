import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ExecutionJob, ExecutionOutcome, Isolation, JournalRecord } from "../../runtime/execution.ts";
import { type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

let runtime: BareRuntime;

beforeAll(async () => {
  runtime = await startBareRuntime();
});
beforeEach(() => {
  runtime.stub.always(({ messages }) => {
    const [first] = messages as { readonly content: string }[];
    return { delayMs: Number(/delay=(\d+)/.exec(first?.content ?? "")?.[1] ?? 0) };
  });
});
afterAll(() => runtime.close());

const ASK = `
  const ask = async (text, more = {}) => {
    const reply = await ctx.chat.completions.create({ messages: [{ role: "user", content: text }], ...more });
    return reply.choices[0].message.content;
  };`;

/** Everything a result may depend on: races, joins, streams, timers, clock and randomness, all of it in arguments too. */
const BUSY = scriptOf(`${ASK}
  const trail = [];
  const note = (label) => { trail.push([label, Date.now(), Math.random()]); ctx.emit("step", label); };
  note("start " + crypto.randomUUID());
  const winner = await Promise.race([ask("slow delay=60"), ask("fast delay=5"), ask("middle delay=30")]);
  note(winner);
  const both = await Promise.all(["x", "y", "z"].map(async (name, index) => {
    const text = await ask(name + " " + Date.now() + " " + Math.random() + " delay=" + (20 - 8 * index));
    note(text);
    return text;
  }));
  let streamed = "";
  const stream = await ctx.chat.completions.create({ messages: [{ role: "user", content: "one two three" }], stream: true });
  const timer = new Promise((resolve) => setTimeout(() => { note("timer"); resolve(); }, 12));
  for await (const chunk of stream) {
    const piece = chunk.choices[0]?.delta?.content ?? "";
    if (piece !== "") { streamed += piece; ctx.write(piece); note("piece"); }
  }
  await timer;
  const caught = await ctx.http.get("http://127.0.0.1:1/", { retries: 0 }).catch((error) => error.code);
  await ctx.sleep(5);
  note(caught);
  const digest = Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(streamed))));
  // One more durable write, so that everything before it is in the journal.
  await ask("seal");
  return { winner, both, streamed, trail, digest: digest.slice(0, 4), left: ctx.input };
`);

interface Recorded {
  readonly job: ExecutionJob;
  readonly records: readonly JournalRecord[];
  readonly chunks: readonly string[];
  readonly output: string;
}

const outputOf = (outcome: ExecutionOutcome): string => {
  if (outcome.status !== "completed") throw new Error(`not completed: ${JSON.stringify(outcome)}`);
  return outcome.output ?? "";
};
const show = ({ index, type, content }: { index: number; type: string; content: string }) =>
  `${index} ${type} ${content}`;

/** Runs a script; returns its journal and everything it let out. */
async function record(script: string, isolation: Isolation = "frozen"): Promise<Recorded> {
  const job = await runtime.job(script, { isolation });
  const { host, ...outcome } = await runtime.finish(job);
  return { job, records: host.records, chunks: host.emitted.map(show), output: outputOf(outcome) };
}

describe.each(["frozen", "context", "isolate"] as const)("at isolation %s", (isolation) => {
  test("a full journal replays to the same bytes without dispatching anything", async () => {
    const recorded = await record(BUSY, isolation);
    const calls = runtime.stub.calls.length;
    const { host, ...outcome } = await runtime.finish(runtime.resume(recorded.job, recorded.records));
    expect(outputOf(outcome)).toBe(recorded.output);
    expect(host.emitted.map(show)).toEqual(recorded.chunks);
    expect(runtime.stub.calls.length).toBe(calls);
    expect(host.records).toEqual(recorded.records);
  });
});

test("a journal cut anywhere is followed to its end and then continued", async () => {
  const { job, records } = await record(BUSY);
  expect(records.length).toBeGreaterThan(9);
  for (let cut = 0; cut <= records.length; cut++) {
    const prefix = records.slice(0, cut);
    const before = runtime.stub.calls.length;
    const { host, ...outcome } = await runtime.finish(runtime.resume(job, prefix));
    outputOf(outcome);
    expect(host.records.slice(0, cut), `cut at ${cut}`).toEqual(prefix);
    const sent = runtime.stub.calls.slice(before).map(({ headers }) => headers["idempotency-key"]);
    const finished = prefix.filter(({ kind }) => kind !== "part").map(({ pos }) => `${job.executionId}:${pos}`);
    expect(
      sent.filter((key) => finished.includes(String(key))),
      `cut at ${cut}`,
    ).toEqual([]);
    // What was continued replays again, to the same bytes.
    const again = await runtime.finish(runtime.resume(job, host.records));
    expect(outputOf(again), `cut at ${cut}`).toBe(outputOf(outcome));
    expect(again.host.emitted.map(show)).toEqual(host.emitted.map(show));
  }
});

test("the winner of a race stays the winner although the model is faster the second time", async () => {
  const script = scriptOf(`${ASK}
    const winner = await Promise.race([ask("first delay=80"), ask("second delay=1")]);
    return winner + ", then " + (await ask("next delay=1"));`);
  const { job, records, output } = await record(script);
  expect(output).toBe('"stub: second delay=1, then stub: next delay=1"');
  runtime.stub.always(({ messages }) => ({
    delayMs: (messages as { content: string }[])[0]?.content.startsWith("first") ? 0 : 50,
  }));
  const again = await runtime.finish(runtime.resume(job, records.slice(0, 1)));
  expect(outputOf(again)).toBe(output);
});

test("the clock is that of the recorded deliveries and the random numbers are those of the seed", async () => {
  const script = scriptOf(`${ASK}
    const read = () => [Date.now(), performance.now(), new Date().toISOString(), Math.random(), crypto.randomUUID()];
    const seen = [read()];
    await ask("a delay=20");
    seen.push(read());
    await ask("b delay=20");
    return [...seen, read()];`);
  const { job, records, output } = await record(script);
  const [start, middle, end] = JSON.parse(output) as [number][];
  expect(start?.[0]).toBe(job.startedAt);
  expect([middle?.[0], end?.[0]]).toEqual(records.map(({ at }) => at));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(outputOf(await runtime.finish(runtime.resume(job, records)))).toBe(output);
  const other = await runtime.finish({ ...runtime.resume(job, records), seed: "0dd5".repeat(16) });
  expect(outputOf(other)).not.toBe(output);
});

test("completions that arrive together are delivered one at a time in the recorded order", async () => {
  const script = scriptOf(`${ASK}
    const order = [];
    await Promise.all(Array.from({ length: 40 }, async (_, i) => { await ask("n" + i + " delay=" + (i * 7) % 11); order.push(i); }));
    return order;`);
  const { job, records, output } = await record(script);
  expect(records.map(({ pos }) => pos)).toEqual(JSON.parse(output));
  expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index));
  expect(outputOf(await runtime.finish(runtime.resume(job, records)))).toBe(output);
});

test("a failed call is replayed as the same error", async () => {
  runtime.stub.always({ status: 400, error: "no such thing" });
  const script = scriptOf(`
    const errors = [];
    for (const text of ["a", "b"]) {
      try { await ctx.chat.completions.create({ messages: [{ role: "user", content: text }] }); }
      catch (error) { errors.push([error.name, error.code, error.message, error.details.status]); }
    }
    return errors;`);
  const { job, records, output } = await record(script);
  expect(records.map(({ kind }) => kind)).toEqual(["error", "error"]);
  const calls = runtime.stub.calls.length;
  runtime.stub.always({});
  expect(outputOf(await runtime.finish(runtime.resume(job, records)))).toBe(output);
  expect(runtime.stub.calls.length).toBe(calls);
});

test("a long journal is fed in order, far beyond the window of deliveries under way", async () => {
  const script = scriptOf(`${ASK}
    let sum = 0;
    for (let i = 0; i < 700; i++) sum += (await ask("n" + i)).length;
    return sum;`);
  const { job, records, output } = await record(script);
  expect(records).toHaveLength(700);
  const calls = runtime.stub.calls.length;
  expect(outputOf(await runtime.finish(runtime.resume(job, records)))).toBe(output);
  expect(runtime.stub.calls.length).toBe(calls);
});

/** Ops whose completions each set off a chain of microtasks: told apart from one that ran into the next. */
const CHAINS = scriptOf(`${ASK}
  const { stopAt, hogAt } = ctx.input ?? {};
  const trail = [];
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 30 }, async (_, i) => {
      await ask("n" + i);
      for (let hop = 0; hop < 1 + (i * 7) % 50; hop++) await null;
      trail.push(i + "@" + Date.now());
      if (trail.length === hogAt) for (;;);
    }));
    if (trail.length >= stopAt) return trail.length;
  }
  return trail;`);

test("microtasks of one delivery end before the next one, also when many are replayed together", async () => {
  const { job, records, output } = await record(CHAINS);
  expect(records).toHaveLength(300);
  for (const isolation of ["frozen", "context", "isolate"] as const) {
    expect(outputOf(await runtime.finish({ ...runtime.resume(job, records), isolation }))).toBe(output);
  }
});

test("a script that hangs or ends in the middle of its journal does so at that place, and nobody else is touched", async () => {
  const { job, records, output } = await record(CHAINS);
  const withInput = (input: object): ExecutionJob => ({
    ...runtime.resume(job, records),
    data: JSON.stringify({ ...JSON.parse(job.data), input }),
  });
  const attempt = (resumed: ExecutionJob, digit: string) =>
    runtime.goOn(runtime.start({ ...resumed, executionId: job.executionId.replace(/^0/, digit) }));
  const [early, hung, whole] = await Promise.all([
    attempt(withInput({ stopAt: 90 }), "1"),
    attempt(withInput({ hogAt: 200 }), "2"),
    attempt(runtime.resume(job, records), "3"),
  ]);
  expect(outputOf(early)).toBe("90");
  const cause = hung.status === "lost" ? hung.cause : hung.status === "failed" ? hung.error : null;
  expect(cause).toMatchObject({ code: "CPU_LIMIT_EXCEEDED" });
  expect(outputOf(whole)).toBe(output);
});

test("what a script says after it was stopped in a turn that nobody waited for does not come out", async () => {
  const script = scriptOf(`${ASK}
    let count = 0;
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 30 }, async (_, i) => {
        await ask("n" + i);
        if (++count === ctx.input?.hogAt) for (;;);
        // Too long to be held back for the rest of the feed.
        if (count > (ctx.input?.hogAt ?? 1_000)) ctx.emit("after", "x".repeat(70_000));
      }));
    }
    return count;`);
  const { job, records } = await record(script);
  for (const hogAt of [198, 199, 200, 201]) {
    const data = JSON.stringify({ ...JSON.parse(job.data), input: { hogAt } });
    const executionId = job.executionId.replace(/^000/, String(hogAt));
    const attempt = runtime.start({ ...runtime.resume(job, records), data, executionId });
    const end = await attempt.outcome;
    expect(attempt.host.emitted.map(({ index, type }) => [index, type])).toEqual([]);
    // In a turn that was waited for it is known who is to blame.
    if (end.status === "failed") expect(end.error.code).toBe("CPU_LIMIT_EXCEEDED");
    else expect(end).toMatchObject({ status: "lost", suspect: true });
  }
});

const SLOW = 30;
const BURNS = scriptOf(`${ASK}
  const burn = (rounds) => { let sum = 0; for (let i = 0; i < rounds; i++) sum = (sum * 31 + i) % 1_000_003; return sum; };
  let sum = 0;
  for (let i = 0; i < 120 + ${SLOW}; i++) {
    await ask("n" + i);
    ctx.emit("step", i);
    if (i >= 120) sum += burn(5_000_000);
  }
  return sum;`);

test("turns that take long, each within its limit, begin again one by one and are not taken for one that hangs", async () => {
  const { job, records, chunks, output } = await record(BURNS);
  // As fast as it gets: the code is compiled by now.
  const warm = await runtime.finish({ ...runtime.resume(job, records), isCalm: false });
  const cpuMs = warm.status === "completed" ? warm.usage.cpuMs : 0;
  // One turn keeps the limit easily, and eight together do not.
  const limits = { ...job.limits, turnMs: Math.ceil((5 * cpuMs) / SLOW) };
  const attempt = runtime.start({ ...runtime.resume(job, records), limits });
  expect((await attempt.outcome).status).toBe("lost");
  const { host, ...outcome } = await runtime.goOn(attempt);
  expect(outputOf(outcome)).toBe(output);
  expect(host.emitted.map(show)).toEqual(chunks);
  // Of the attempt that was given up, nothing came out that is not so.
  const early = attempt.host.emitted.map(show);
  expect(early).toEqual(chunks.slice(0, early.length));
});

test("a journal longer than the calls that may be under way at once is replayed, also one whose timers were stopped", async () => {
  const script = scriptOf(`${ASK}
    let sum = 0;
    for (let i = 0; i < 60; i++) {
      const timer = setTimeout(() => {}, 1_000_000);
      sum += (await ask("n" + i)).length;
      clearTimeout(timer);
    }
    return sum;`);
  const job = await runtime.job(script, { limits: { maxConcurrentOps: 2 } });
  const { host, ...outcome } = await runtime.finish(job);
  for (const isCalm of [true, false]) {
    const again = await runtime.finish({ ...runtime.resume(job, host.records), isCalm });
    expect(outputOf(again)).toBe(outputOf(outcome));
  }
});

test("log lines of a replay are those of the first time, in their order", async () => {
  const script = scriptOf(`${ASK}
    for (let i = 0; i < 40; i++) { await ask("n" + i); ctx.log("after " + i); ctx.emit("step", i); }
    return 1;`);
  const { job, records } = await record(script);
  const lines = async (resumed: ExecutionJob) => {
    const { host, ...outcome } = await runtime.finish(resumed);
    outputOf(outcome);
    return host.lines.map(({ index, message }) => `${index} ${message}`);
  };
  const expected = Array.from({ length: 40 }, (_, i) => `${i} after ${i}`);
  expect(await lines(runtime.resume(job, records))).toEqual(expected);
  expect(await lines({ ...runtime.resume(job, records), isCalm: false })).toEqual(expected);
});

test("a stream that was cut goes on after what the script already saw", async () => {
  const script = scriptOf(`
    const seen = [];
    const stream = await ctx.chat.completions.create({ messages: [{ role: "user", content: "alpha beta gamma" }], stream: true });
    for await (const chunk of stream) {
      const piece = chunk.choices[0]?.delta?.content ?? "";
      if (piece === "") continue;
      seen.push(piece);
      ctx.write(piece);
    }
    return { seen: seen.join(""), final: (await stream.final()).choices[0].message.content };`);
  runtime.stub.always({ chunkDelayMs: 5 });
  const { job, records, output } = await record(script);
  expect(JSON.parse(output)).toEqual({ seen: "stub: alpha beta gamma", final: "stub: alpha beta gamma" });
  const parts = records.filter(({ kind }) => kind === "part").length;
  expect(parts).toBeGreaterThan(2);
  for (let cut = 0; cut < records.length; cut++) {
    const { host, ...outcome } = await runtime.finish(runtime.resume(job, records.slice(0, cut)));
    expect(outputOf(outcome), `cut at ${cut}`).toBe(output);
    expect(host.emitted.map(({ content }) => JSON.parse(content)).join("")).toBe("stub: alpha beta gamma");
  }
});
