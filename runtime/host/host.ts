import type { Socket } from "node:net";
import { FROM_HOST, REJECTION, type StartFacts, TO_HOST } from "../../sandbox/wire.ts";
import { type BundleCode, Bundles } from "./bundles.ts";
import { type Collector, createCollector } from "./collector.ts";
import { createFrameWriter, type FrameWriter, readFrames } from "./frames.ts";
import type { Delivery, GuestPost, TurnEnd } from "./isolate.ts";
import { createPosts, type Posts } from "./posts.ts";
import { rehearse } from "./rehearsal.ts";
import { type Seat, type Slot, Slots } from "./slots.ts";
import { createTurnScheduler, isLate, type Turn, type TurnScheduler } from "./turns.ts";

/** What a host process is started with. */
export interface Hello {
  /** Script text of the prelude: an expression that yields its boot function. */
  readonly prelude: string;
  /** JSON text of the op names. */
  readonly manifest: string;
  /** Turns at once. */
  readonly maxBusy: number;
}

/** One run in this process. */
interface Run {
  readonly id: number;
  readonly facts: StartFacts;
  /** JSON text of `facts`, as it came. */
  readonly text: string;
  readonly data: string;
  readonly secrets: string;
  /** Deliveries that came before its seat. */
  readonly queued: Delivery[];
  seat: Seat | null;
  activeMs: number;
  /** Log lines so far, its own and those about it. */
  logs: number;
  ended: boolean;
}

const HEARTBEAT_MS = 250;
const REFILL_DELAY_MS = 2;
/** Above this much resident memory no isolate is kept only because its version may be called again. */
const ROOMY_BYTES = 700 * 1024 * 1024;
const MAX_REJECTION_CHARS = 2_000;
/** Share of a turn's limit the guest must have burned itself for a timeout to be surely its own. */
const SURE_SHARE = 0.6;

function turnDelivery(run: Run, kind: string, rest: { n: number; now: number; text: string }): Delivery {
  return { kind, run: run.id, ...rest, data: "", secrets: "", bundle: null };
}

/** The host process: runs in isolates, frames in and out. */
export class Host {
  readonly #out: FrameWriter;
  readonly #posts: Posts;
  readonly #slots: Slots;
  readonly #scheduler: TurnScheduler;
  readonly #collector: Collector;
  readonly #bundles = new Bundles();
  readonly #runs = new Map<number, Run>();
  /** Runs that wait for a bundle, by its hash. */
  readonly #needing = new Map<string, Run[]>();
  /** True at first: realms are made ready with what the rehearsal keeps. */
  #refilling = true;

  constructor(socket: Socket, hello: Hello) {
    this.#out = createFrameWriter(socket);
    this.#posts = createPosts(this.#out);
    const realms = { prelude: { name: "weft:prelude", text: hello.prelude }, manifest: hello.manifest };
    this.#slots = new Slots({
      ...realms,
      onPost: (slot, post) => this.#post(slot, post),
      onStuck: (slot) => this.#poisoned(slot.lane.running?.turn.run ?? 0, "MEMORY_LIMIT_EXCEEDED"),
    });
    this.#scheduler = createTurnScheduler(hello.maxBusy, {
      stuck: (run) => this.#poisoned(run, "CPU_LIMIT_EXCEEDED"),
      idle: () => this.#refillSoon(),
    });
    this.#collector = createCollector(this.#slots, this.#scheduler);
    readFrames(socket, (fields) => this.#receive(fields));
    rehearse(realms).finally(() => {
      this.#refilling = false;
      this.#refillSoon();
    });
    setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#out.write(FROM_HOST.ready);
  }

  #beat(): void {
    const bytes = process.memoryUsage.rss();
    this.#out.write(`${FROM_HOST.heartbeat}\t${bytes}`);
    if (bytes > ROOMY_BYTES) this.#slots.shrink();
    this.#collector.look();
  }

  #receive(fields: string[]): unknown {
    const text = (at: number) => fields[at] ?? "";
    const id = Number(fields[1]);
    switch (fields[0]) {
      case TO_HOST.deliver:
        return this.#deliver(id, text(3), { n: Number(text(2)), now: Number(text(4)), text: text(5) });
      case TO_HOST.feed:
        return this.#feed(id, { count: Number(text(2)), isCalm: text(3) === "1", text: text(4) });
      case TO_HOST.abort:
        return this.#deliver(id, "abort", { n: 0, now: Number(text(2)), text: text(3) });
      case TO_HOST.start:
        return this.#start(id, text(2), { data: text(3), secrets: text(4) });
      case TO_HOST.close:
        return this.#close(id, text(2) === "1");
      case TO_HOST.bundle:
        return this.#gotBundle(text(1), JSON.parse(text(2)) as string | null);
      default:
        return undefined;
    }
  }

  #start(id: number, facts: string, texts: { data: string; secrets: string }): void {
    const run: Run = {
      id,
      facts: JSON.parse(facts),
      text: facts,
      ...texts,
      queued: [],
      seat: null,
      activeMs: 0,
      logs: 0,
      ended: false,
    };
    this.#runs.set(id, run);
    const hash = run.facts.bundleHash;
    const code = this.#bundles.get(hash);
    if (code !== undefined) {
      this.#begin(run, code);
      return;
    }
    const waiting = this.#needing.get(hash);
    if (waiting !== undefined) waiting.push(run);
    else {
      this.#needing.set(hash, [run]);
      this.#out.write(`${FROM_HOST.need}\t${hash}`);
    }
  }

  #gotBundle(hash: string, text: string | null): void {
    const waiting = this.#needing.get(hash) ?? [];
    this.#needing.delete(hash);
    const code = text === null ? null : this.#bundles.add(hash, text);
    for (const run of waiting) {
      if (code === null) this.#cannotStart(run, "The bundle is not there any more.");
      else this.#begin(run, code);
    }
  }

  async #begin(run: Run, code: BundleCode): Promise<void> {
    const { facts, id } = run;
    try {
      const seat = await this.#slots.seat({
        run: id,
        key: facts.key,
        isolation: facts.isolation,
        memoryMb: facts.memoryMb,
        trial: facts.mode === "describe" && facts.isolation === "frozen",
        script: { name: `weft:${facts.bundleHash}`, text: code.text },
        needs: code.needs,
      });
      run.seat = seat;
      if (run.ended) {
        this.#slots.leave(seat, id, false);
        return;
      }
      const start = turnDelivery(run, "start", { n: code.needs, now: facts.now, text: run.text });
      this.#addTurn(run, seat, { ...start, data: run.data, secrets: run.secrets, bundle: seat.bundle });
      for (const delivery of run.queued.splice(0)) this.#addTurn(run, seat, delivery);
    } catch (error) {
      this.#slots.abandon(facts.key, id);
      this.#cannotStart(run, `The bundle cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #cannotStart(run: Run, message: string): void {
    const record = JSON.stringify({ code: "EXECUTION_FAILED", message, details: {} });
    this.#out.write(`${FROM_HOST.failed}\t${run.id}\t0\t${record}`);
    this.#out.write(`${FROM_HOST.turn}\t${run.id}\t0`);
  }

  #deliver(id: number, kind: string, rest: { n: number; now: number; text: string }): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    const delivery = turnDelivery(run, kind, rest);
    if (run.seat === null) run.queued.push(delivery);
    else this.#addTurn(run, run.seat, delivery);
  }

  /** The worker is done with a run; one that is still alive in a shared realm is closed there first. */
  #close(id: number, finished: boolean): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    this.#runs.delete(id);
    run.ended = true;
    const { seat } = run;
    if (seat === null || seat.slot.closed) return;
    if (!finished && seat.slot.isolation === "frozen") {
      this.#addTurn(run, seat, turnDelivery(run, "close", { n: 0, now: 0, text: "" }));
    }
    this.#slots.leave(seat, id, finished && run.facts.mode === "execute");
    if (this.#scheduler.busy() === 0) this.#refillSoon();
  }

  #addTurn(run: Run, seat: Seat, delivery: Delivery): void {
    const start = (timeoutMs: number) => seat.realm.turn(delivery, timeoutMs);
    this.#scheduler.add(seat.slot.lane, this.#turn(run, seat.slot, start, true));
  }

  /** A turn; `told`: the worker waits for its end, and not for more of a feed. */
  #turn(...[run, slot, start, told]: [run: Run, slot: Slot, start: Turn["start"], told: boolean]): Turn {
    return {
      run: run.id,
      turnMs: run.facts.turnMs,
      budgetMs: () => Math.max(1, run.facts.cpuMs - run.activeMs),
      start,
      ended: (end, activeMs) => {
        run.activeMs += activeMs;
        this.#turnEnded(run, slot, end);
        if (end.status !== "ok" && end.status !== "rejection") return;
        if (told) this.#out.write(`${FROM_HOST.turn}\t${run.id}\t${Math.round(run.activeMs * 1_000)}`);
        else this.#out.write(`${FROM_HOST.step}\t${run.id}`);
      },
    };
  }

  /** Recorded deliveries: each has its turn, the worker hears of the last one's end. */
  #feed(id: number, { count, isCalm, text }: { count: number; isCalm: boolean; text: string }): void {
    const run = this.#runs.get(id);
    // Nothing is fed before the first turn has returned: a run that is still here has its seat.
    if (run === undefined || run.seat === null) return;
    const { realm, slot } = run.seat;
    let isFed = false;
    const step = (timeoutMs: number, watched: boolean) => {
      if (!isFed) realm.feed(id, text);
      isFed = true;
      return realm.step(id, timeoutMs, watched);
    };
    const start = isCalm ? step : (timeoutMs: number) => step(timeoutMs, true);
    const steps = new Array<Turn>(count - 1).fill(this.#turn(run, slot, start, false));
    this.#scheduler.add(
      slot.lane,
      ...steps,
      this.#turn(run, slot, (timeoutMs) => step(timeoutMs, true), true),
    );
  }

  #turnEnded(run: Run, slot: Slot, end: TurnEnd): void {
    const { turnMs, cpuMs } = run.facts;
    if (end.status === "memory" || end.status === "disposed") {
      if (!slot.closed) this.#died(run, slot, "MEMORY_LIMIT_EXCEEDED", end.status === "memory" && slot.runs.size === 1);
    } else if (end.status === "slow") this.#died(run, slot, "CPU_LIMIT_EXCEEDED", false);
    else if (end.status === "timeout") {
      const { running } = slot.lane;
      const burnedMs = running === null ? 0 : this.#scheduler.cpuShareMs(running);
      const sure = burnedMs >= Math.min(turnMs, cpuMs) * SURE_SHARE || run.activeMs >= cpuMs;
      this.#died(run, slot, "CPU_LIMIT_EXCEEDED", sure);
    } else if (end.status === "rejection") {
      const message = JSON.stringify(`${REJECTION}${end.message.slice(0, MAX_REJECTION_CHARS)}`);
      this.#posts.log(run, `0\twarn\t${message}\t`);
    }
  }

  /** The isolate of `slot` is lost: all its runs are, and `suspect` is (`sure`) or may be why. */
  #died(...[suspect, slot, code, sure]: [suspect: Run, slot: Slot, code: string, sure: boolean]): void {
    const others = [...slot.runs].filter((id) => id !== suspect.id);
    this.#slots.close(slot);
    for (const id of slot.runs) this.#runs.delete(id);
    slot.runs.clear();
    this.#out.write(`${FROM_HOST.died}\t${suspect.id}\t${code}\t${sure ? 1 : 0}\t${others.join(",")}`);
  }

  #poisoned(run: number, code: string): void {
    this.#out.write(`${FROM_HOST.poisoned}\t${run}\t${code}`);
  }

  #post(slot: Slot, post: GuestPost): void {
    const { running } = slot.lane;
    // What a guest says after it may have been stopped in the middle of a turn counts for nothing.
    if (running === null || isLate(running)) return;
    const run = this.#runs.get(running.turn.run);
    if (run !== undefined) this.#posts.pass(run, post);
  }

  #refillSoon(): void {
    if (this.#refilling) return;
    this.#refilling = true;
    setTimeout(() => {
      this.#refilling = false;
      if (this.#scheduler.busy() === 0 && this.#slots.refill()) this.#refillSoon();
    }, REFILL_DELAY_MS);
  }
}
