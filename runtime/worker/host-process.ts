import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { FROM_HOST, type StartFacts, TO_HOST } from "../../sandbox/wire.ts";
import type { ErrorCode } from "../errors.ts";
import type { HostProfile } from "../execution.ts";
import { createFrameWriter, type FrameWriter, readFrames } from "../host/frames.ts";
import { isHonestFrame } from "./frame-check.ts";
import { deliverFrame, feedFrame, type HostDelivery } from "./host-delivery.ts";
import { largestFrame, type ReportListener, Reports } from "./reports.ts";
import { type HostCommand, innermost, passComplaints, residentBytes, spawnHost } from "./spawn-host.ts";

/** How a run lost its isolate or process. `sure`: the run is why; `suspect`: it may be. */
export interface Loss {
  readonly sure: boolean;
  readonly suspect: boolean;
  readonly code: ErrorCode;
}

/** What a host tells the run it is working on. */
export interface RunListener extends ReportListener {
  /** One turn has returned; `cpuMs` is the run's total so far. */
  turn(cpuMs: number): void;
  lost(loss: Loss): void;
}

/** One run in a host. */
export interface HostRun {
  deliver(delivery: HostDelivery): void;
  /** Recorded deliveries, a turn each; together they count as one open turn. `isCalm`: the end of each need not be waited for. */
  feed(deliveries: readonly HostDelivery[], isCalm: boolean): void;
  abort(now: number, reason: string): void;
  /** `finished`: the guest itself reported its end. */
  close(finished: boolean): void;
  /** Deliveries whose turn has not returned yet. */
  openTurns(): number;
}

/** What a host process needs from its owner. */
export interface HostOptions extends HostCommand {
  readonly source: string;
  loadBundle(hash: string): Promise<string | null>;
  /** Called once, when the process is gone; `asked` when its owner killed it. */
  onExit(asked: boolean): void;
  /** How long its open turns may go on without a word, ms, beside the limit of a turn; default 30 s. */
  readonly silenceMs?: number;
}

const HEARTBEAT_TIMEOUT_MS = 3_000;
const [WATCH_MS, LATE_MS] = [100, 1_000];
/** Resident memory over which a host is replaced. */
const MAX_RESIDENT_BYTES = 1_600 * 1024 * 1024;

/** A host whose turns are open says of one within this time and the limit of a turn, ms. */
const SILENCE_MS = 30_000;

interface Entry {
  readonly listener: RunListener;
  readonly reports: Reports;
  open: number;
}

/** A started and watched host process: killed when its heartbeat stops, it grows too large or a turn is stuck. */
export class HostProcess {
  readonly profile: HostProfile;
  readonly pid: number;
  readonly #options: HostOptions;
  readonly #child: ChildProcess;
  readonly #out: FrameWriter;
  readonly #entries = new Map<number, Entry>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #watch: NodeJS.Timeout;
  #nextRun = 1;
  #alive = true;
  #started = false;
  #asked = false;
  #reportedBytes = 0;
  #lastSeen = performance.now();
  #lastLook = performance.now();
  /** When it last said of a turn, or had nothing to say. */
  #lastTurn = performance.now();
  /** The longest turn that a run here may take, ms. */
  #turnMs = 0;
  #maxFrameBytes = 1024 * 1024;
  /** Bundles it may ask for: by hash, the runs that need it and have not asked. */
  readonly #needs = new Map<string, number>();
  /** The run that is known to be why the process was killed. */
  #culprit: { readonly run: number; readonly code: ErrorCode } | null = null;
  /** Why the watchdog killed the process; null when it died by itself. */
  #condemned: ErrorCode | null = null;
  #broken = false;
  /** The host itself; `pid` may be the wall around it. */
  #insidePid: number;

  constructor(options: HostOptions) {
    this.profile = options.profile;
    this.#options = options;
    this.#child = spawnHost(options);
    this.pid = this.#child.pid ?? 0;
    this.#insidePid = this.pid;
    this.#ready.promise.catch(() => undefined);
    const socket = this.#child.stdio[3] as Socket;
    this.#out = createFrameWriter(socket);
    socket.on("error", () => undefined);
    this.#child.on("exit", () => this.#gone());
    this.#child.on("error", () => this.#gone());
    passComplaints(this.#child);
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stdin?.end(options.source);
    const bound = { maxBytes: () => this.#maxFrameBytes, exceeded: () => this.#breach("a frame without end") };
    readFrames(socket, (fields) => this.#receive(fields), bound);
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    this.#watch.unref();
  }

  /** Resolves when the host takes runs; rejects when it died before. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when the process is gone and reaped. */
  get exited(): Promise<void> {
    return this.#exited.promise;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** True once it has been ready. */
  get started(): boolean {
    return this.#started;
  }

  /** Number of runs in it. */
  get running(): number {
    return this.#entries.size;
  }

  get residentBytes(): number {
    return residentBytes(this.#insidePid, this.#reportedBytes);
  }

  /** Ends it; its runs are told that they are lost. */
  kill(): void {
    this.#asked = true;
    this.#kill();
  }

  /** Starts a run; `texts` are the JSON texts of its ctx data and secrets. */
  run(facts: StartFacts, texts: { readonly data: string; readonly secrets: string }, listener: RunListener): HostRun {
    const id = this.#nextRun++;
    const entry: Entry = { listener, reports: new Reports(listener, facts.limits), open: 1 };
    this.#entries.set(id, entry);
    this.#expect(facts);
    this.#out.write(`${TO_HOST.start}\t${id}\t${JSON.stringify(facts)}\t${texts.data}\t${texts.secrets}`);
    const send = (frame: string) => {
      if (!this.#entries.has(id)) return;
      entry.open++;
      this.#out.write(frame);
    };
    return {
      deliver(delivery) {
        if (delivery.kind !== "part") entry.reports.settled();
        send(deliverFrame(id, delivery));
      },
      feed(deliveries, isCalm) {
        entry.reports.fed(deliveries);
        send(feedFrame(id, deliveries, isCalm));
      },
      abort: (now, reason) => send(`${TO_HOST.abort}\t${id}\t${now}\t${reason}`),
      close: (finished) => {
        if (this.#entries.delete(id)) this.#out.write(`${TO_HOST.close}\t${id}\t${finished ? 1 : 0}`);
      },
      openTurns: () => entry.open,
    };
  }

  /** What a run's frames may be like. */
  #expect({ bundleHash, turnMs, limits }: StartFacts): void {
    this.#maxFrameBytes = Math.max(this.#maxFrameBytes, largestFrame(limits));
    this.#turnMs = Math.max(this.#turnMs, turnMs);
    this.#needs.set(bundleHash, (this.#needs.get(bundleHash) ?? 0) + 1);
  }

  #kill(): void {
    if (this.#alive && this.pid > 0) this.#child.kill("SIGKILL");
  }

  #look(): void {
    const now = performance.now();
    const late = now - this.#lastLook > LATE_MS;
    this.#lastLook = now;
    // After a pause of this thread or the machine, what the host has sent meanwhile is still to be read.
    if (late) this.#lastSeen = now;
    const isQuiet = [...this.#entries.values()].every(({ open }) => open === 0);
    if (late || isQuiet) this.#lastTurn = now;
    const silenceMs = (this.#options.silenceMs ?? SILENCE_MS) + this.#turnMs;
    if (now - this.#lastSeen > HEARTBEAT_TIMEOUT_MS || now - this.#lastTurn > silenceMs)
      this.#condemn("CPU_LIMIT_EXCEEDED");
    else if (this.residentBytes > MAX_RESIDENT_BYTES) this.#condemn("MEMORY_LIMIT_EXCEEDED");
  }

  /** It sent what only a process that somebody else has taken over sends: nothing it says counts any more. */
  #breach(what: string): void {
    if (this.#broken) return;
    this.#broken = true;
    process.stderr.write(`weft worker: host process ${this.pid} sent ${what} and is put down\n`);
    this.#condemn("EXECUTION_FAILED");
  }

  #condemn(code: ErrorCode): void {
    this.#condemned ??= code;
    this.#kill();
  }

  #gone(): void {
    if (!this.#alive) return;
    this.#alive = false;
    clearInterval(this.#watch);
    this.#ready.reject(new Error("The host process ended before it was ready."));
    const entries = [...this.#entries];
    this.#entries.clear();
    const only = entries.length === 1;
    for (const [id, entry] of entries) entry.listener.lost(this.#lossOf(id, entry.open > 0, only));
    this.#options.onExit(this.#asked);
    this.#exited.resolve();
  }

  /** Memory is the whole process's: a crash is surely a run's own doing only if nobody else was in it. */
  #lossOf(id: number, open: boolean, only: boolean): Loss {
    if (this.#culprit !== null) return { sure: id === this.#culprit.run, suspect: false, code: this.#culprit.code };
    const code = this.#condemned ?? "MEMORY_LIMIT_EXCEEDED";
    const crashed = this.#condemned === null && !this.#asked && this.#child.signalCode !== "SIGKILL";
    return { sure: crashed && open && only, suspect: !this.#asked && open, code };
  }

  #receive(fields: readonly string[]): void {
    if (this.#broken) return;
    this.#lastSeen = performance.now();
    const [letter, first = "", second = ""] = fields;
    if (!isHonestFrame(fields, this.#nextRun - 1)) this.#breach("a frame that means nothing");
    else if (letter === FROM_HOST.ready) this.#isReady();
    else if (letter === FROM_HOST.heartbeat) this.#reportedBytes = Number(first);
    else if (letter === FROM_HOST.need) this.#sendBundle(first);
    else if (letter === FROM_HOST.turn) this.#turnEnded(this.#entries.get(Number(first)), Number(second) / 1_000);
    else if (letter === FROM_HOST.died) this.#isolateDied(fields);
    else if (letter === FROM_HOST.poisoned) {
      this.#culprit ??= { run: Number(first), code: second as ErrorCode };
      this.#kill();
    } else {
      if (letter === FROM_HOST.step) this.#lastTurn = performance.now();
      this.#entries.get(Number(first))?.reports.take(fields);
    }
  }

  #isReady(): void {
    if (this.#started) this.#breach("a second greeting");
    this.#started = true;
    if (this.#options.wall !== null) this.#insidePid = innermost(this.pid);
    this.#ready.resolve();
  }

  #turnEnded(entry: Entry | undefined, cpuMs: number): void {
    this.#lastTurn = performance.now();
    if (entry?.open === 0) this.#breach("the end of a turn that never began");
    else if (entry !== undefined) {
      entry.open--;
      entry.listener.turn(cpuMs);
    }
  }

  /** A bundle that cannot be read (the disk fails) costs this process, whose runs begin again in another, and never the thread. */
  async #sendBundle(hash: string): Promise<void> {
    const needed = this.#needs.get(hash) ?? 0;
    if (needed === 0) return this.#breach("a request for a bundle that is none of its business");
    this.#needs.set(hash, needed - 1);
    const code = await this.#options.loadBundle(hash).catch(() => undefined);
    if (code === undefined) return this.kill();
    this.#lastTurn = performance.now();
    this.#out.write(`${TO_HOST.bundle}\t${hash}\t${JSON.stringify(code)}`);
  }

  #isolateDied([, run, word, sure, others]: readonly string[]): void {
    this.#lastTurn = performance.now();
    const code = word as ErrorCode;
    this.#lose(Number(run), { sure: sure === "1", suspect: true, code });
    for (const id of (others ?? "").split(",")) {
      if (id !== "") this.#lose(Number(id), { sure: false, suspect: false, code });
    }
  }

  #lose(id: number, loss: Loss): void {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    entry?.listener.lost(loss);
  }
}
