import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { FROM_HOST, type StartFacts, TO_HOST } from "../../sandbox/wire.ts";
import type { ErrorCode } from "../errors.ts";
import type { Chunk, HostProfile, JournalRecord, LogLine } from "../execution.ts";
import { createFrameWriter, type FrameWriter, readFrames } from "../host/frames.ts";
import { nestingError } from "./nesting.ts";
import { residentBytes, spawnHost } from "./spawn-host.ts";

/** How a run lost its isolate or process. `sure`: the run is why; `suspect`: it may be. */
export interface Loss {
  readonly sure: boolean;
  readonly suspect: boolean;
  readonly code: ErrorCode;
}

/** What a host tells the run it is working on. */
export interface RunListener {
  /** `node`: the graph's node that it counts for; empty for none. */
  op(pos: number, name: string, args: string, node: string): void;
  drop(pos: number): void;
  chunk(chunk: Chunk): void;
  /** `message` is a JSON string, `fields` JSON text or empty. */
  log(level: LogLine["level"], message: string, fields: string): void;
  done(reads: number, output: string): void;
  failed(frozenComplaint: boolean, record: string): void;
  /** One turn has returned; `cpuMs` is the run's total so far. */
  turn(cpuMs: number): void;
  lost(loss: Loss): void;
}

/** One delivery into the guest. */
export interface HostDelivery {
  readonly kind: JournalRecord["kind"];
  readonly pos: number;
  /** Guest clock, ms since the epoch. */
  readonly now: number;
  readonly payload: string;
}

/** One run in a host. */
export interface HostRun {
  deliver(delivery: HostDelivery): void;
  abort(now: number, reason: string): void;
  /** `finished`: the guest itself reported its end. */
  close(finished: boolean): void;
  /** Deliveries whose turn has not returned yet. */
  openTurns(): number;
}

/** What a host process needs from its owner. */
export interface HostOptions {
  readonly profile: HostProfile;
  readonly source: string;
  loadBundle(hash: string): Promise<string | null>;
  /** Called once, when the process is gone; `asked` when its owner killed it. */
  onExit(asked: boolean): void;
}

const HEARTBEAT_TIMEOUT_MS = 3_000;
const WATCH_MS = 100;
const LATE_MS = 1_000;
/** Resident memory over which a host is replaced. */
const MAX_RESIDENT_BYTES = 1_600 * 1024 * 1024;

interface Entry {
  readonly listener: RunListener;
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
  /** The run that is known to be why the process was killed. */
  #culprit: { readonly run: number; readonly code: ErrorCode } | null = null;
  /** Why the watchdog killed the process; null when it died by itself. */
  #condemned: ErrorCode | null = null;

  constructor(options: HostOptions) {
    this.profile = options.profile;
    this.#options = options;
    this.#child = spawnHost(options.profile);
    this.pid = this.#child.pid ?? 0;
    this.#ready.promise.catch(() => undefined);
    const socket = this.#child.stdio[3] as Socket;
    this.#out = createFrameWriter(socket);
    socket.on("error", () => undefined);
    this.#child.on("exit", () => this.#gone());
    this.#child.on("error", () => this.#gone());
    this.#child.stderr?.on("data", (data: Buffer) => process.stderr.write(data));
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stdin?.end(options.source);
    readFrames(socket, (fields) => this.#receive(fields));
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
    return residentBytes(this.pid, this.#reportedBytes);
  }

  /** Ends it; its runs are told that they are lost. */
  kill(): void {
    this.#asked = true;
    this.#kill();
  }

  /** Starts a run; `texts` are the JSON texts of its ctx data and secrets. */
  run(facts: StartFacts, texts: { readonly data: string; readonly secrets: string }, listener: RunListener): HostRun {
    const id = this.#nextRun++;
    const entry: Entry = { listener, open: 1 };
    this.#entries.set(id, entry);
    this.#out.write(`${TO_HOST.start}\t${id}\t${JSON.stringify(facts)}\t${texts.data}\t${texts.secrets}`);
    const send = (frame: string) => {
      if (!this.#entries.has(id)) return;
      entry.open++;
      this.#out.write(frame);
    };
    return {
      deliver: ({ kind, pos, now, payload }) => send(`${TO_HOST.deliver}\t${id}\t${pos}\t${kind}\t${now}\t${payload}`),
      abort: (now, reason) => send(`${TO_HOST.abort}\t${id}\t${now}\t${reason}`),
      close: (finished) => {
        if (this.#entries.delete(id)) this.#out.write(`${TO_HOST.close}\t${id}\t${finished ? 1 : 0}`);
      },
      openTurns: () => entry.open,
    };
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
    if (performance.now() - this.#lastSeen > HEARTBEAT_TIMEOUT_MS) this.#condemn("CPU_LIMIT_EXCEEDED");
    else if (this.residentBytes > MAX_RESIDENT_BYTES) this.#condemn("MEMORY_LIMIT_EXCEEDED");
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

  #receive(fields: string[]): unknown {
    this.#lastSeen = performance.now();
    const entry = fields.length > 1 ? this.#entries.get(Number(fields[1])) : undefined;
    switch (fields[0]) {
      case FROM_HOST.ready:
        this.#started = true;
        return this.#ready.resolve();
      case FROM_HOST.heartbeat:
        this.#reportedBytes = Number(fields[1]);
        return undefined;
      case FROM_HOST.need:
        return this.#sendBundle(fields[1] as string);
      case FROM_HOST.died:
        return this.#isolateDied(fields);
      case FROM_HOST.poisoned:
        this.#culprit ??= { run: Number(fields[1]), code: lossCode(fields[2]) };
        return this.#kill();
      default:
        return entry === undefined ? undefined : this.#report(entry, fields);
    }
  }

  /** A guest that broke out may have written any frame: what cannot be read costs its execution, never this thread. */
  #report(entry: Entry, fields: string[]): void {
    const deep = nestingError(fields);
    try {
      if (deep === null) report(entry, fields);
      else entry.listener.failed(false, deep);
    } catch {
      const message = "The script sent something that cannot be read.";
      entry.listener.failed(false, JSON.stringify({ code: "EXECUTION_FAILED", message, details: {} }));
    }
  }

  /** A bundle that cannot be read (the disk fails) costs this process, whose runs begin again in another, and never the thread. */
  async #sendBundle(hash: string): Promise<void> {
    const code = await this.#options.loadBundle(hash).catch(() => undefined);
    if (code === undefined) this.kill();
    else this.#out.write(`${TO_HOST.bundle}\t${hash}\t${JSON.stringify(code)}`);
  }

  #isolateDied([, run, code, sure, others]: string[]): void {
    this.#lose(Number(run), { sure: sure === "1", suspect: true, code: lossCode(code) });
    for (const id of (others ?? "").split(",")) {
      if (id !== "") this.#lose(Number(id), { sure: false, suspect: false, code: lossCode(code) });
    }
  }

  #lose(id: number, loss: Loss): void {
    const entry = this.#entries.get(id);
    this.#entries.delete(id);
    entry?.listener.lost(loss);
  }
}

const text = (fields: string[], at: number) => fields[at] ?? "";

/** Why an isolate or a process was lost: the two reasons there are. */
const lossCode = (word: string | undefined): ErrorCode =>
  word === "CPU_LIMIT_EXCEEDED" ? word : "MEMORY_LIMIT_EXCEEDED";

const LEVELS: readonly LogLine["level"][] = ["debug", "info", "warn", "error"];
const levelOf = (word: string) => LEVELS.find((level) => level === word) ?? "info";

function report(entry: Entry, fields: string[]): unknown {
  const { listener } = entry;
  const n = Number(fields[2]);
  switch (fields[0]) {
    case FROM_HOST.op:
      return listener.op(n, text(fields, 3), text(fields, 4), text(fields, 5));
    case FROM_HOST.drop:
      return listener.drop(n);
    case FROM_HOST.chunk:
      if (!Number.isSafeInteger(n)) throw new Error("a chunk without a number");
      return listener.chunk({
        index: n,
        type: text(fields, 3),
        content: text(fields, 4),
        text: fields[5] === "1",
      });
    case FROM_HOST.log:
      return listener.log(levelOf(text(fields, 3)), text(fields, 4), text(fields, 5));
    case FROM_HOST.done:
      return listener.done(n, text(fields, 3));
    case FROM_HOST.failed:
      return listener.failed(n === 1, text(fields, 3));
    case FROM_HOST.turn:
      entry.open--;
      return listener.turn(Number.isFinite(n) ? n / 1_000 : 0);
    default:
      return undefined;
  }
}
