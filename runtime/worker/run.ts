import { hash as digest } from "node:crypto";
import type { Scope } from "../capabilities/capability.ts";
import { findOp } from "../capabilities/index.ts";
import { type ErrorRecord, fail, toRecord } from "../errors.ts";
import type { Chunk, ExecutionJob, ExecutionOutcome, JournalRecord, LogLine } from "../execution.ts";
import type { Completion } from "../interceptors/interceptor.ts";
import { armDeadline } from "./deadline.ts";
import { createDeliveries, type Deliveries } from "./deliveries.ts";
import { outputError, parseGuestError, resourceError, timeoutError } from "./guest-report.ts";
import { HeldBytes } from "./held-bytes.ts";
import type { HostRun, Loss, RunListener } from "./host-process.ts";
import { sleepUntil, wakeTime } from "./parking.ts";
import { createPurity, type Purity } from "./purity.ts";
import { createReplay, type Replay } from "./replay.ts";
import type { RunOptions, RunOutcome } from "./run-options.ts";
import { createScope } from "./scope.ts";
import { createSecretGuard, type SecretGuard } from "./secrets.ts";
import { startFacts } from "./start-facts.ts";
import { traceArguments } from "./trace.ts";
import { UsageSum } from "./usage.ts";

/** An op the guest waits for. */
interface Waiting {
  readonly op: string;
  readonly hash: string;
  readonly args: string;
  /** Wake-up time of a sleep, ms since the epoch; null for every other op. */
  readonly until: number | null;
  readonly abort: AbortController;
}

/** A guest gets this long to react to ctx.signal. */
const ABORT_GRACE_MS = 100;
const ENDED = new DOMException("The execution has ended or was stopped.", "AbortError");
/** Recorded deliveries sent ahead of the guest's turns. */
const REPLAY_WINDOW = 256;

/** One execution in its worker: feeds the journal back, runs new ops, decides the outcome. */
export class Run implements RunListener {
  readonly #options: RunOptions;
  readonly #job: ExecutionJob;
  readonly #guard: SecretGuard;
  readonly #replay: Replay;
  readonly #deliveries: Deliveries;
  readonly #scope: Scope;
  readonly #purity: Purity;
  readonly #host: HostRun;
  readonly #done = Promise.withResolvers<RunOutcome>();
  readonly #ending = new AbortController();
  readonly #waiting = new Map<number, Waiting>();
  /** Positions of ops that are not in the journal, made while it is still fed. */
  readonly #held: number[] = [];
  readonly #usage = new UsageSum();
  readonly #bytes = new HeldBytes();
  readonly #deadline: { cancel(): void };
  #nextPos = 0;
  #logIndex = 0;
  #fed = 0;
  #caughtUp: boolean;
  #ended = false;
  #verdict: RunOutcome | null = null;
  #stopping: ErrorRecord | null = null;

  constructor(options: RunOptions) {
    const { job, link, host, mode } = options;
    this.#options = options;
    this.#job = job;
    this.#guard = createSecretGuard(job.hidden ?? job.secrets, job.seed);
    this.#replay = createReplay(job.replay);
    this.#purity = createPurity(() => job.tellsImpure && link.impure());
    this.#caughtUp = job.replay.length === 0;
    this.#deliveries = createDeliveries(
      {
        commit: link.commit,
        deliver: (record) => this.#hand(record),
        failed: () => this.#finish({ status: "lost", suspect: false, cause: toRecord(fail("CONFLICT")) }),
      },
      job.replay.length,
      job.replay.at(-1)?.at ?? job.startedAt,
    );
    this.#scope = createScope(job, link, this.#ending.signal);
    this.#deadline = armDeadline(job.deadlineAt, () => this.stop(timeoutError(job)));
    this.#bytes.handed(0);
    this.#host = host.run(startFacts(job, mode), { data: job.data, secrets: JSON.stringify(job.secrets) }, this);
  }

  /** Settles once, never rejects. */
  get outcome(): Promise<RunOutcome> {
    return this.#done.promise;
  }

  /** Ends the run with an error after ctx.signal has fired. */
  stop(error: ErrorRecord): void {
    if (this.#ended || this.#stopping !== null) return;
    this.#stopping = error;
    this.#abortOps();
    this.#bytes.handed(0);
    this.#host.abort(Date.now(), error.message.replaceAll(/[\t\n]/g, " "));
    setTimeout(() => this.#finish(this.#failure(error)), ABORT_GRACE_MS);
  }

  op(pos: number, name: string, args: string): void {
    if (this.#ended || this.#verdict !== null) return;
    if (pos !== this.#nextPos++) {
      const message = "The script broke the order of its ctx calls.";
      this.#finish(this.#failure(toRecord(fail("EXECUTION_FAILED", { message }))));
      return;
    }
    this.#purity.made(name);
    const hash = digest("sha256", `${name}\0${this.#guard.hide(args)}`, "base64url");
    const mismatch = this.#replay.mismatch(pos, name, hash);
    if (mismatch !== null) this.#finish(this.#failure(mismatch));
    else if (!this.#replay.finished(pos)) this.#accept(pos, { op: name, hash, args });
  }

  drop(pos: number): void {
    const waiting = this.#waiting.get(pos);
    this.#waiting.delete(pos);
    waiting?.abort.abort();
  }

  chunk(chunk: Chunk): void {
    if (this.#ended || this.#verdict !== null) return;
    const { redact } = this.#guard;
    // Whoever sees a chunk relies on the deliveries before it: after a crash they must come in the same order again.
    this.#deliveries.flush();
    this.#options.link.chunks([{ ...chunk, type: redact(chunk.type), content: redact(chunk.content) }]);
  }

  log(level: LogLine["level"], message: string, fields: string): void {
    if (this.#ended) return;
    const { redact } = this.#guard;
    const text = JSON.parse(redact(message)) as string;
    const at = this.#deliveries.now();
    const line = { index: this.#logIndex++, level, at, message: text, fields: fields === "" ? null : redact(fields) };
    this.#options.link.logs([line]);
  }

  done(reads: number, output: string): void {
    if (this.#verdict !== null || this.#ended) return;
    const error = outputError(output, this.#job);
    const usage = this.#usage.total();
    const completed = { status: "completed", output: output || null, pure: this.#purity.holds(reads), usage } as const;
    const outcome = error === null ? completed : this.#failure(error);
    this.#verdict = { outcome, frozenComplaint: false };
  }

  failed(frozenComplaint: boolean, record: string): void {
    if (this.#verdict !== null || this.#ended) return;
    const error = this.#stopping ?? parseGuestError(record);
    this.#verdict = { outcome: this.#failure(error), frozenComplaint };
  }

  turn(cpuMs: number): void {
    this.#usage.cpuMs = cpuMs;
    this.#bytes.taken();
    if (this.#ended) return;
    if (this.#verdict !== null) this.#settle(this.#verdict, true);
    else if (this.#stopping !== null && this.#host.openTurns() === 0) this.#finish(this.#failure(this.#stopping));
    else if (!this.#caughtUp) this.#feed();
    if (!this.#ended && this.#caughtUp && this.#host.openTurns() === 0) this.#rest();
  }

  lost({ sure, suspect, code }: Loss): void {
    const cause = resourceError(code, this.#job);
    // A script that has reported its end and goes on burning in the same turn has not ended.
    if (sure) this.#finish(this.#failure(cause));
    else if (this.#verdict !== null) this.#settle(this.#verdict, true);
    else if (this.#stopping !== null) this.#finish(this.#failure(this.#stopping));
    else {
      // Chunks that followed a delivery are out already: the next attempt must repeat that delivery.
      this.#deliveries.flush();
      this.#finish({ status: "lost", suspect, cause });
    }
  }

  #accept(pos: number, call: Pick<Waiting, "op" | "hash" | "args">): void {
    const abort = new AbortController();
    this.#waiting.set(pos, { ...call, until: sleepUntil(call.op, call.args), abort });
    if (this.#caughtUp) this.#start(pos);
    else this.#held.push(pos);
  }

  /** Runs a new op and puts its completion on the way to the guest. */
  async #start(pos: number): Promise<void> {
    const waiting = this.#waiting.get(pos);
    if (waiting === undefined || this.#ended) return;
    const outside = findOp(waiting.op)?.effect === "outside";
    if (outside) this.#deliveries.flush();
    let reading = 0;
    const completion = await this.#options.dispatch({
      pos,
      name: waiting.op,
      args: waiting.args,
      now: this.#deliveries.now(),
      scope: this.#scope,
      signal: waiting.abort.signal,
      delivered: this.#replay.parts(pos).map(this.#guard.reveal),
      meter: () => undefined,
      hold: (bytes) => {
        reading += bytes;
        this.#bytes.add(bytes);
      },
      part: (json) => this.#part(pos, waiting, json),
    });
    this.#bytes.remove(reading);
    // What a stop aborted has no result: the script learns of the stop from ctx.signal.
    if (this.#ended || this.#stopping !== null || !this.#waiting.delete(pos)) return;
    this.#record(pos, waiting, completion, outside);
  }

  #part(pos: number, { op, hash }: Waiting, json: string): void {
    if (this.#ended || !this.#waiting.has(pos)) return;
    const payload = this.#guard.hide(json);
    this.#deliveries.add({ pos, op, hash, kind: "part", payload, args: null, meter: null }, false);
  }

  #record(pos: number, { op, hash, args }: Waiting, completion: Completion, outside: boolean): void {
    const { kind, meter } = completion;
    if (outside && meter !== null) this.#usage.charge(meter);
    const payload = this.#guard.hide(completion.payload);
    const trace = outside ? { args: this.#guard.redact(traceArguments(args)), meter } : { args: null, meter: null };
    this.#deliveries.add({ pos, op, hash, kind, payload, ...trace }, outside);
  }

  #hand({ kind, pos, at, payload }: JournalRecord): void {
    if (this.#ended) return;
    this.#bytes.handed(payload.length);
    this.#host.deliver({ kind, pos, now: at, payload: this.#guard.reveal(payload) });
  }

  /** Sends recorded deliveries as far as the window allows; starts held ops once the guest has caught up. */
  #feed(): void {
    const { records } = this.#replay;
    while (this.#fed < records.length && this.#host.openTurns() < REPLAY_WINDOW) {
      const record = records[this.#fed++] as JournalRecord;
      if (record.meter !== null) this.#usage.charge(record.meter);
      this.#hand(record);
    }
    if (this.#fed < records.length || this.#host.openTurns() > 0) return;
    this.#caughtUp = true;
    for (const pos of this.#held.splice(0)) this.#start(pos);
  }

  /** The guest waits: for ops under way, for long sleeps only, or for nothing that could ever happen. */
  #rest(): void {
    if (this.#deliveries.pending() || this.#stopping !== null) return;
    if (this.#waiting.size > 0) this.#park();
    else if (this.#job.deadlineAt === null) {
      const message = "The script waits for something that cannot happen: no ctx call and no timer is under way.";
      this.#finish(this.#failure(toRecord(fail("EXECUTION_FAILED", { message }))));
    }
  }

  /** Gives the isolate up while nothing but long sleeps is awaited. */
  async #park(): Promise<void> {
    const wake = wakeTime(this.#waiting.values(), this.#job.deadlineAt);
    if (wake === null) return;
    this.#leave(false);
    try {
      await this.#deliveries.settle();
      this.#resolve({ status: "waiting", until: wake, usage: this.#usage.total() });
    } catch {
      this.#resolve({ status: "lost", suspect: false, cause: toRecord(fail("CONFLICT")) });
    }
  }

  #failure(error: ErrorRecord): ExecutionOutcome {
    return { status: "failed", error: this.#guard.redactRecord(error), usage: this.#usage.total() };
  }

  /** One reason for all: making an error with its stack for every run that ends would cost more than the run's end. */
  #abortOps(): void {
    this.#ending.abort(ENDED);
    for (const { abort } of this.#waiting.values()) abort.abort(ENDED);
  }

  /** Lets the host forget the run; `reported`: the guest itself said it ended. */
  #leave(reported: boolean): void {
    this.#ended = true;
    this.#deadline.cancel();
    this.#abortOps();
    this.#host.close(reported);
  }

  #resolve(outcome: ExecutionOutcome, frozenComplaint = false): void {
    this.#done.resolve({ outcome, frozenComplaint });
  }

  #settle({ outcome, frozenComplaint }: RunOutcome, reported: boolean): void {
    if (this.#ended) return;
    this.#leave(reported);
    const usage = this.#usage.total();
    this.#resolve(outcome.status === "lost" ? outcome : { ...outcome, usage }, frozenComplaint);
  }

  #finish(outcome: ExecutionOutcome): void {
    this.#settle({ outcome, frozenComplaint: false }, false);
  }
}
