import { Socket } from "node:net";
import { FROM_HOST, isField, POST, type StartFacts, TO_HOST } from "../../sandbox/wire.ts";
import { createFrameWriter, readFrames } from "./frames.ts";
import type { Delivery, TurnEnd } from "./isolate.ts";
import { createSlots, type Seat, type Slot } from "./slots.ts";
import { createTurnScheduler } from "./turns.ts";

/** One execution in this process. */
interface Run {
  readonly id: number;
  readonly facts: StartFacts;
  readonly queued: Delivery[];
  seat: Seat | null;
  activeMs: number;
  ended: boolean;
}

/** First frame of a host: everything it needs before it can take executions. */
interface Hello {
  readonly prelude: string;
  readonly manifest: string;
  readonly maxBusy: number;
}

const HEARTBEAT_MS = 250;
const MAX_BUNDLE_BYTES = 256 * 1024 * 1024;

process.env["TZ"] = "UTC";
const socket = new Socket({ fd: 3, readable: true, writable: true });
const out = createFrameWriter(socket);
socket.on("close", () => process.kill(process.pid, "SIGKILL"));
socket.on("error", () => process.kill(process.pid, "SIGKILL"));

const runs = new Map<number, Run>();
const bundles = new Map<string, string>();
let bundleBytes = 0;
const needing = new Map<string, { run: Run; data: string; secrets: string }[]>();

const keepBundle = (hash: string, text: string) => {
  bundles.set(hash, text);
  bundleBytes += text.length;
  for (const [old, code] of bundles) {
    if (bundleBytes <= MAX_BUNDLE_BYTES || old === hash) break;
    bundles.delete(old);
    bundleBytes -= code.length;
  }
};

function serve(hello: Hello): void {
  const slots = createSlots({
    prelude: { name: "weft:prelude", text: hello.prelude },
    manifest: hello.manifest,
    onPost,
    onStuck: (slot) => {
      const run = slot.lane.running?.turn.run ?? 0;
      out.write(`${FROM_HOST.poisoned}\t${run}\tMEMORY_LIMIT_EXCEEDED`);
    },
  });
  let refilling = false;
  const scheduler = createTurnScheduler(hello.maxBusy, {
    stuck: (run) => out.write(`${FROM_HOST.poisoned}\t${run}\tCPU_LIMIT_EXCEEDED`),
    idle: refillSoon,
  });

  function refillSoon(): void {
    if (refilling) return;
    refilling = true;
    setTimeout(() => {
      refilling = false;
      if (scheduler.busy() === 0 && slots.refill()) refillSoon();
    }, 2);
  }

  function onPost(slot: Slot, kind: number, n: number, name: string, text: string, more: string): void {
    const run = slot.lane.running?.turn.run;
    if (run === undefined || typeof text !== "string" || typeof more !== "string" || typeof name !== "string") return;
    if (!Number.isSafeInteger(n) || !isField(name) || !isField(text) || !isField(more)) return;
    if (kind === POST.op) out.write(`${FROM_HOST.op}\t${run}\t${n}\t${name}\t${text}`);
    else if (kind === POST.chunk) out.write(`${FROM_HOST.chunk}\t${run}\t${n}\t${name}\t${text}\t${more}`);
    else if (kind === POST.log) out.write(`${FROM_HOST.log}\t${run}\t${n}\t${name}\t${text}\t${more}`);
    else if (kind === POST.drop) out.write(`${FROM_HOST.drop}\t${run}\t${n}`);
    else if (kind === POST.done) out.write(`${FROM_HOST.done}\t${run}\t${n}\t${text}`);
    else if (kind === POST.failed) out.write(`${FROM_HOST.failed}\t${run}\t${n}\t${text}`);
  }

  /** The isolate of `slot` is gone: its runs are lost, and `suspect` may be why. */
  function died(slot: Slot, suspect: Run, code: string, sure: boolean): void {
    const alone = slot.runs.size === 1;
    const others = [...slot.runs].filter((id) => id !== suspect.id);
    slots.close(slot);
    for (const id of slot.runs) runs.delete(id);
    slot.runs.clear();
    out.write(
      `${FROM_HOST.died}\t${suspect.id}\t${code}\t${sure && (alone || code === "CPU_LIMIT_EXCEEDED") ? 1 : 0}\t${others.join(",")}`,
    );
  }

  function turnEnded(run: Run, seat: Seat, end: TurnEnd, activeMs: number, sharedCpuMs: number): void {
    run.activeMs += activeMs;
    if (end.status === "memory" || end.status === "disposed") {
      if (!seat.slot.closed) died(seat.slot, run, "MEMORY_LIMIT_EXCEEDED", end.status === "memory");
    } else if (end.status === "timeout") {
      const limit = Math.min(run.facts.turnMs, run.facts.cpuMs);
      died(seat.slot, run, "CPU_LIMIT_EXCEEDED", sharedCpuMs >= limit * 0.6 || run.activeMs >= run.facts.cpuMs);
    } else {
      if (end.status === "rejection") {
        const text = JSON.stringify(`Unhandled rejection: ${end.message.slice(0, 2_000)}`);
        out.write(`${FROM_HOST.log}\t${run.id}\t-1\twarn\t${text}\t`);
      }
      out.write(`${FROM_HOST.turn}\t${run.id}\t${Math.round(run.activeMs * 1_000)}`);
    }
  }

  function addTurn(run: Run, seat: Seat, delivery: Delivery): void {
    const { lane } = seat.slot;
    scheduler.add(lane, {
      run: run.id,
      turnMs: run.facts.turnMs,
      budgetMs: () => Math.max(1, run.facts.cpuMs - run.activeMs),
      start: (timeoutMs) => seat.realm.turn(delivery, timeoutMs),
      ended: (end, activeMs) => {
        const share = lane.running === null ? 0 : scheduler.cpuShareMs(lane.running);
        turnEnded(run, seat, end, activeMs, share);
      },
    });
  }

  async function begin(run: Run, text: string, data: string, secrets: string): Promise<void> {
    const { facts } = run;
    try {
      const seat = await slots.seat({
        run: run.id,
        key: facts.key,
        isolation: facts.isolation,
        memoryMb: facts.memoryMb,
        trial: facts.mode === "describe" && facts.isolation === "frozen",
        bundle: { name: `weft:${facts.bundleHash}`, text },
      });
      run.seat = seat;
      if (run.ended) {
        slots.leave(seat, run.id);
        return;
      }
      addTurn(run, seat, {
        kind: "start",
        run: run.id,
        n: 0,
        now: facts.now,
        text: JSON.stringify(facts),
        more: data,
        secrets,
        bundle: seat.bundle,
      });
      for (const delivery of run.queued.splice(0)) addTurn(run, seat, delivery);
    } catch (error) {
      const message = `The bundle cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
      out.write(
        `${FROM_HOST.failed}\t${run.id}\t0\t${JSON.stringify({ code: "EXECUTION_FAILED", message, details: {} })}`,
      );
      out.write(`${FROM_HOST.turn}\t${run.id}\t0`);
    }
  }

  function start(id: number, facts: StartFacts, data: string, secrets: string): void {
    const run: Run = { id, facts, queued: [], seat: null, activeMs: 0, ended: false };
    runs.set(id, run);
    const text = bundles.get(facts.bundleHash);
    if (text !== undefined) {
      begin(run, text, data, secrets);
      return;
    }
    const waiting = needing.get(facts.bundleHash);
    if (waiting === undefined) {
      needing.set(facts.bundleHash, [{ run, data, secrets }]);
      out.write(`${FROM_HOST.need}\t${facts.bundleHash}`);
    } else waiting.push({ run, data, secrets });
  }

  function gotBundle(hash: string, text: string): void {
    keepBundle(hash, text);
    for (const { run, data, secrets } of needing.get(hash) ?? []) begin(run, text, data, secrets);
    needing.delete(hash);
  }

  function deliver(id: number, kind: string, n: number, now: number, text: string): void {
    const run = runs.get(id);
    if (run === undefined || run.ended) return;
    const delivery: Delivery = { kind, run: id, n, now, text, more: "", secrets: "", bundle: null };
    if (run.seat === null) run.queued.push(delivery);
    else addTurn(run, run.seat, delivery);
  }

  /** The worker is done with a run; a run that is still alive in its realm is closed there first. */
  function close(id: number, finished: boolean): void {
    const run = runs.get(id);
    if (run === undefined) return;
    runs.delete(id);
    run.ended = true;
    const { seat } = run;
    if (seat === null || seat.slot.closed) return;
    if (finished || seat.slot.isolation !== "frozen") slots.leave(seat, id);
    else {
      addTurn(run, seat, { kind: "close", run: id, n: 0, now: 0, text: "", more: "", secrets: "", bundle: null });
      slots.leave(seat, id);
    }
    if (scheduler.busy() === 0) refillSoon();
  }

  readFrames(socket, (f) => {
    const id = Number(f[1]);
    if (f[0] === TO_HOST.deliver) deliver(id, f[3] as string, Number(f[2]), Number(f[4]), f[5] as string);
    else if (f[0] === TO_HOST.start) start(id, JSON.parse(f[2] as string), f[3] as string, f[4] as string);
    else if (f[0] === TO_HOST.close) close(id, f[2] === "1");
    else if (f[0] === TO_HOST.abort) deliver(id, "abort", 0, Number(f[2]), f[3] as string);
    else if (f[0] === TO_HOST.bundle) gotBundle(f[1] as string, JSON.parse(f[2] as string));
  });
  refillSoon();
  const beat = () => out.write(`${FROM_HOST.heartbeat}\t${process.memoryUsage.rss()}`);
  setInterval(beat, HEARTBEAT_MS);
  out.write(FROM_HOST.ready);
}

process.on("uncaughtException", (error) => {
  process.stderr.write(`weft host: ${error.stack ?? error.message}\n`, () => process.kill(process.pid, "SIGKILL"));
});

declare const WEFT_HELLO: Hello;
serve(WEFT_HELLO);
