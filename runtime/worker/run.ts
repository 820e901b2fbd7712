import { hash as digest } from "node:crypto";
import type { Scope } from "../capabilities/capability.ts";
import type { ErrorRecord } from "../errors.ts";
import type { Chunk, ExecutionJob, ExecutionOutcome, JournalRecord, LogLine } from "../execution.ts";
import type { Completion } from "../interceptors/interceptor.ts";
import { Call, type CallOwner } from "./call.ts";
import { armDeadline, deadlineOf } from "./deadline.ts";
import { createDeliveries, type Deliveries } from "./deliveries.ts";
import { charsOf, Feed } from "./feed.ts";
import { createGuestOutput, type GuestOutput } from "./guest-output.ts";
import { orderError, outputError, parseGuestError, resourceError, stuckError, timeoutError } from "./guest-report.ts";
import { HeldBytes } from "./held-bytes.ts";
import { toDeliveries } from "./host-delivery.ts";
import type { HostRun, Loss, RunListener } from "./host-process.ts";
import { unrecorded } from "./offline.ts";
import { isAwaited, restOf } from "./parking.ts";
import { createPurity, type Purity } from "./purity.ts";
import { redo } from "./remade.ts";
import { createReplay, type Replay } from "./replay.ts";
import { LOST, type RunOptions, type RunOutcome } from "./run-options.ts";
import { createScope } from "./scope.ts";
import { createSecretGuard, type SecretGuard } from "./secrets.ts";
import { startFacts } from "./start-facts.ts";
import { traceArguments, UNMETERED, withNode } from "./trace.ts";
import { UsageSum } from "./usage.ts";

/** A guest gets this long to react to ctx.signal. */
const ABORT_GRACE_MS = 100;

/** One execution in its worker: feeds the journal back, runs new ops, decides the outcome. */
export class Run implements RunListener {
  readonly #options: RunOptions;
  readonly #job: ExecutionJob;
  readonly #guard: SecretGuard;
  readonly #output: GuestOutput;
  readonly #replay: Replay;
  readonly #feeder: Feed;
  readonly #deliveries: Deliveries;
  readonly #scope: Scope;
  readonly #purity: Purity;
  readonly #host: HostRun;
  readonly #done = Promise.withResolvers<RunOutcome>();
  /** Ops the guest waits for. */
  readonly #waiting = new Map<number, Call>();
  /** Positions of ops that are not in the journal, made while it is still fed. */
  readonly #held: number[] = [];
  readonly #usage = new UsageSum();
  readonly #bytes = new HeldBytes();
  readonly #deadline: { cancel(): void };
  readonly #owner: CallOwner = {
    part: (call, json) => this.#part(call, json),
    ended: (call, completion) => this.#completed(call, completion),
    hold: (_call, bytes) => this.#bytes.add(bytes),
    parks: () => this.#rest(),
  };
  #nextPos = 0;
  #caughtUp: boolean;
  #ended = false;
  /** What the guest says it read; null until it has returned. */
  #reads: number | null = null;
  #verdict: RunOutcome | null = null;
  #stopping: ErrorRecord | null = null;

  constructor(options: RunOptions) {
    const { job, link, host, mode } = options;
    this.#options = options;
    this.#job = job;
    this.#guard = createSecretGuard(job.hidden ?? job.secrets, job.seed, job.handles);
    this.#output = createGuestOutput(link, this.#guard);
    this.#replay = createReplay(job);
    const failed = () => this.#finish(LOST);
    this.#feeder = new Feed(options, {
      hand: (records) => this.#replayed(records),
      openTurns: () => this.#host.openTurns(),
      more: () => this.#feed(),
      failed,
    });
    this.#purity = createPurity(() => job.tellsImpure && link.impure());
    this.#caughtUp = job.replay.length === 0;
    this.#deliveries = createDeliveries(
      { commit: link.commit, deliver: (record) => this.#hand(record), failed },
      job.replay.length,
      job.replay.at(-1)?.at ?? job.startedAt,
      job.offline === true ? () => 0 : Date.now,
    );
    this.#scope = createScope(job, link);
    this.#deadline = armDeadline(deadlineOf(job), () => this.stop(timeoutError(job)));
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
    for (const call of this.#waiting.values()) call.abort();
    this.#bytes.handed(0);
    this.#host.abort(Date.now(), error.message.replaceAll(/[\t\n]/g, " "));
    setTimeout(() => this.#finish(this.#failure(error)), ABORT_GRACE_MS);
  }

  op(pos: number, name: string, args: string, node: string): void {
    if (this.#ended || this.#verdict !== null) return;
    if (pos !== this.#nextPos++) {
      this.#finish(this.#failure(orderError()));
      return;
    }
    this.#purity.made(name);
    const hash = digest("sha256", `${name}\0${this.#guard.hide(args)}`, "base64url");
    const made = { pos, op: name, args, hash };
    const mismatch = this.#replay.mismatch(made);
    if (mismatch !== null) this.#finish(this.#failure(mismatch));
    else if (!this.#replay.finished(pos)) this.#accept(new Call(pos, name, args, { hash, node }));
    else redo(made, this.#scope);
  }

  drop(pos: number): boolean {
    this.#waiting.get(pos)?.abort();
    return this.#waiting.delete(pos);
  }

  chunk(chunk: Chunk): void {
    if (this.#ended || this.#verdict !== null) return;
    // Whoever sees a chunk relies on the deliveries before it: after a crash they must come in the same order again.
    this.#deliveries.flush();
    this.#output.chunk(chunk);
  }

  log(level: LogLine["level"], message: string, fields: string): void {
    if (!this.#ended) this.#output.log({ level, message, fields, at: this.#deliveries.now() });
  }

  done(reads: number, output: string): void {
    if (this.#verdict !== null || this.#ended) return;
    this.#reads = reads;
    const error = outputError(output, this.#job);
    const usage = this.#usage.total();
    const completed = { status: "completed", output: output || null, pure: this.#purity.holds(reads), usage } as const;
    const outcome = error === null ? completed : this.#failure(error);
    this.#verdict = { outcome, frozenComplaint: false };
  }

  failed(frozenComplaint: boolean, record: string): void {
    if (this.#verdict !== null || this.#ended) return;
    this.#verdict = { outcome: this.#failure(this.#stopping ?? parseGuestError(record)), frozenComplaint };
  }

  turn(cpuMs: number): void {
    this.#usage.cpuMs = cpuMs;
    this.#bytes.taken();
    if (this.#ended) return;
    if (this.#verdict !== null) this.#settle(this.#verdict, true);
    else if (this.#stopping !== null && this.#host.openTurns() === 0) this.#finish(this.#failure(this.#stopping));
    else if (!this.#caughtUp) this.#feed();
    this.#rest();
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
      this.#options.shelf.addAll(this.#waiting);
      this.#finish({ status: "lost", suspect, cause });
    }
  }

  #accept(call: Call): void {
    this.#waiting.set(call.pos, call);
    if (this.#caughtUp) this.#start(call.pos);
    else this.#held.push(call.pos);
  }

  /** Runs a new op, or goes on with the call that an earlier attempt began; its completion comes to {@link Run.#owner}. */
  #start(pos: number): void {
    const waiting = this.#waiting.get(pos);
    if (waiting === undefined || isAwaited(this.#job, pos)) return;
    const missing = this.#job.offline === true ? unrecorded(waiting) : null;
    if (missing !== null) this.#finish(this.#failure(missing));
    if (this.#ended) return;
    if (waiting.outside) this.#deliveries.flush();
    const delivered = this.#replay.parts(pos);
    const shelved = this.#options.shelf.take(pos, waiting.hash, delivered.length, this.#owner);
    if (shelved === null) {
      waiting.begin(this.#owner, {
        dispatch: this.#options.dispatch,
        scope: this.#scope,
        now: this.#deliveries.now(),
        delivered: delivered.map(this.#guard.reveal),
      });
      return;
    }
    const { call, parts, completion } = shelved;
    this.#waiting.set(pos, call);
    this.#bytes.inherit(call.heldBytes);
    for (const json of parts) this.#part(call, json);
    if (completion !== null) this.#completed(call, completion);
  }

  #part({ pos, op, hash }: Call, json: string): void {
    if (this.#ended || !this.#waiting.has(pos)) return;
    const payload = this.#guard.hide(json);
    this.#deliveries.add({ pos, op, hash, kind: "part", payload, args: null, meter: null }, false);
  }

  #completed(call: Call, { kind, payload: json, meter }: Completion): void {
    this.#bytes.remove(call.heldBytes);
    const { pos, op, hash, args, outside, node } = call;
    // What a stop aborted has no result: the script learns of the stop from ctx.signal.
    if (this.#ended || this.#stopping !== null || !this.#waiting.delete(pos)) return;
    if (outside && meter !== null) this.#usage.charge(meter);
    const payload = this.#guard.hide(json);
    const shown = node === "" ? meter : withNode(meter, this.#guard.redact(node));
    const facts = outside ? { args: this.#guard.redact(traceArguments(args)), meter: shown } : UNMETERED;
    this.#deliveries.add({ pos, op, hash, kind, payload, ...facts }, outside, () => this.#guard.hide(args));
  }

  #hand({ kind, pos, at, payload }: Pick<JournalRecord, "kind" | "pos" | "at" | "payload">): void {
    if (this.#ended) return;
    if (kind === "error") this.#purity.failed();
    this.#bytes.handed(payload.length);
    this.#host.deliver({ kind, pos, now: at, payload: this.#guard.reveal(payload) });
  }

  #replayed(records: ExecutionJob["replay"]): void {
    if (this.#ended) return;
    this.#usage.chargeAll(records);
    if (records.some(({ kind }) => kind === "error")) this.#purity.failed();
    this.#bytes.handed(charsOf(records));
    this.#host.feed(toDeliveries(records, this.#guard.reveal), this.#job.isCalm === true);
  }

  /** Sends recorded deliveries; starts held ops once the guest has caught up. */
  #feed(): void {
    if (this.#ended || !this.#feeder.feed()) return;
    this.#caughtUp = true;
    for (const pos of this.#held.splice(0)) this.#start(pos);
    this.#options.shelf.clear();
  }

  /** The guest waits: for ops under way, for what needs no isolate, or for nothing that could ever happen. */
  #rest(): void {
    if (this.#ended || !this.#caughtUp || this.#stopping !== null) return;
    if (this.#host.openTurns() > 0 || this.#deliveries.pending()) return;
    if (this.#waiting.size > 0) this.#park();
    else if (deadlineOf(this.#job) === null) this.#finish(this.#failure(stuckError()));
  }

  /** Gives the isolate up while nothing but long sleeps, events and decisions are awaited. */
  async #park(): Promise<void> {
    const rest = restOf(this.#job, this.#waiting, this.#deliveries.now(), this.#guard.redact);
    if (rest === null) return;
    if ("code" in rest) return this.#finish(this.#failure(rest));
    this.#leave(false);
    try {
      await this.#deliveries.settle();
      this.#resolve({ status: "waiting", ...rest, usage: this.#usage.total() });
    } catch {
      this.#resolve(LOST);
    }
  }

  #failure(error: ErrorRecord): ExecutionOutcome {
    return { status: "failed", error: this.#guard.redactRecord(error), usage: this.#usage.total() };
  }

  /** Lets the host forget the run; `reported`: the guest itself said it ended. */
  #leave(reported: boolean): void {
    this.#ended = true;
    this.#deadline.cancel();
    for (const call of this.#waiting.values()) call.abort();
    this.#host.close(reported);
  }

  #resolve(outcome: ExecutionOutcome, frozenComplaint = false): void {
    this.#done.resolve({ outcome, frozenComplaint });
  }

  #settle({ outcome, frozenComplaint }: RunOutcome, reported: boolean): void {
    if (this.#ended) return;
    const keepsTail = this.#purity.timed(this.#reads);
    if (keepsTail) this.#deliveries.flush();
    this.#leave(reported);
    const isOver = outcome.status === "completed" || outcome.status === "failed";
    this.#resolve(isOver ? { ...outcome, usage: this.#usage.total(), keepsTail } : outcome, frozenComplaint);
  }

  #finish(outcome: ExecutionOutcome): void {
    this.#settle({ outcome, frozenComplaint: false }, false);
  }
}
