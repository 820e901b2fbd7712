import { hash as digest } from "node:crypto";
import { READ, type StartFacts } from "../../sandbox/wire.ts";
import type { Scope } from "../capabilities/capability.ts";
import { findOp } from "../capabilities/index.ts";
import { CATALOGUE, type ErrorCode, type ErrorRecord, fail, toRecord } from "../errors.ts";
import type {
  Chunk,
  ExecutionJob,
  ExecutionOutcome,
  JournalRecord,
  LogLine,
  NestedCall,
  NestedResult,
  OpMeter,
  Usage,
} from "../execution.ts";
import { createDeliveries } from "./deliveries.ts";
import type { Handler } from "./dispatch.ts";
import type { HostProcess, HostRun, RunListener } from "./host-process.ts";
import { createReplay } from "./replay.ts";
import { createSecretGuard } from "./secrets.ts";

/** What the main thread does for this execution, seen from the worker. */
export interface RunLink {
  commit(records: readonly JournalRecord[], durable: boolean): Promise<void>;
  chunks(chunks: readonly Chunk[]): void;
  logs(lines: readonly LogLine[]): void;
  invoke(call: NestedCall): Promise<NestedResult>;
  accessory(key: string): Promise<Uint8Array>;
}

/** Everything one execution needs in its worker. */
export interface RunOptions {
  readonly job: ExecutionJob;
  readonly mode: StartFacts["mode"];
  readonly host: HostProcess;
  readonly link: RunLink;
  readonly dispatch: Handler;
}

/** A running execution. */
export interface Run {
  readonly outcome: Promise<RunOutcome>;
  /** Ends it with an error after ctx.signal has fired. */
  stop(error: ErrorRecord): void;
}

/** An outcome, and whether the script broke on frozen intrinsics. */
export interface RunOutcome {
  readonly outcome: ExecutionOutcome;
  readonly frozenComplaint: boolean;
}

interface Waiting {
  readonly op: string;
  readonly hash: string;
  readonly args: string;
  readonly until: number | null;
  readonly abort: AbortController;
}

/** Sleeps longer than this park the execution. */
const PARK_MS = 5_000;
/** A guest gets this long to react to ctx.signal. */
const ABORT_GRACE_MS = 100;
/** Recorded deliveries sent ahead of the guest's turns. */
const REPLAY_WINDOW = 256;

/** Codes a guest may end with; anything else it claims is EXECUTION_FAILED. */
const GUEST_CODES = new Set<string>([
  "EXECUTION_FAILED",
  "NO_OUTPUT",
  "OUTPUT_NOT_SERIALIZABLE",
  "INVALID_ARGUMENT",
  "LIMIT_EXCEEDED",
  "CAPABILITY_DENIED",
  "UPSTREAM_FAILED",
  "UPSTREAM_TIMEOUT",
  "REPLAY_DIVERGED",
  "BUDGET_EXCEEDED",
] satisfies ErrorCode[]);
const GUEST_STATUSES = new Set([400, 404, 409, 422, 500]);

function startFacts(job: ExecutionJob, mode: StartFacts["mode"]): StartFacts {
  const { limits } = job;
  return {
    key: `${job.accountId}:${job.versionId}`,
    bundleHash: job.bundleHash,
    isolation: job.alone ? "isolate" : job.isolation,
    mode,
    seed: job.seed,
    now: job.startedAt,
    deadlineAt: job.deadlineAt,
    memoryMb: limits.memoryMb,
    cpuMs: limits.cpuMs,
    turnMs: limits.turnMs,
    limits: {
      maxOutputBytes: limits.maxOutputBytes,
      maxArgBytes: limits.maxArgBytes,
      maxChunkBytes: limits.maxChunkBytes,
      maxChunks: limits.maxChunks,
      maxChunkTotalBytes: limits.maxChunkTotalBytes,
      maxLogLines: limits.maxLogLines,
      maxLogLineBytes: limits.maxLogLineBytes,
      maxConcurrentOps: limits.maxConcurrentOps,
    },
  };
}

/** A record the guest reported, with nothing in it that the guest may not decide. */
function guestError(text: string): ErrorRecord {
  let raw: { code?: unknown; message?: unknown; details?: unknown; status?: unknown };
  try {
    raw = JSON.parse(text) as typeof raw;
  } catch {
    return toRecord(fail("EXECUTION_FAILED"));
  }
  const code = typeof raw.code === "string" && GUEST_CODES.has(raw.code) ? (raw.code as ErrorCode) : "EXECUTION_FAILED";
  const details =
    typeof raw.details === "object" && raw.details !== null ? (raw.details as Record<string, unknown>) : {};
  const message = typeof raw.message === "string" ? raw.message : CATALOGUE[code].message(details);
  const status = typeof raw.status === "number" && GUEST_STATUSES.has(raw.status) ? { status: raw.status } : {};
  return { code, message, details, ...status };
}

function until(op: string, args: string): number | null {
  if (op !== "sleep") return null;
  const value = (JSON.parse(args) as { until?: unknown } | null)?.until;
  return typeof value === "number" ? value : null;
}

/** Runs (or resumes) one execution in `host`. */
export function startRun(options: RunOptions): Run {
  const { job, host, link, dispatch } = options;
  const guard = createSecretGuard(job.secrets);
  const replay = createReplay(job.replay);
  const done = Promise.withResolvers<RunOutcome>();
  const stopped = new AbortController();
  const waiting = new Map<number, Waiting>();
  const fresh: number[] = [];
  const usage = { promptTokens: 0, completionTokens: 0, costUsd: 0, ops: 0, cpuMs: 0 };
  let nextPos = 0;
  let logIndex = 0;
  let fed = 0;
  let outside = false;
  let ended = false;
  let verdict: { readonly outcome: ExecutionOutcome; readonly frozenComplaint: boolean } | null = null;
  let stopping: ErrorRecord | null = null;

  const data = JSON.parse(job.data) as { messages: readonly unknown[]; session_id: string };
  const scope: Scope = {
    job,
    messages: data.messages,
    sessionId: data.session_id,
    signal: stopped.signal,
    invoke: link.invoke,
    accessory: link.accessory,
  };

  const total = (): Usage => ({ ...usage });
  const finish = (outcome: ExecutionOutcome, frozenComplaint = false, reported = false) => {
    if (ended) return;
    ended = true;
    clearTimeout(deadline);
    stopped.abort();
    run.close(reported);
    done.resolve({ outcome, frozenComplaint });
  };
  const failure = (error: ErrorRecord): ExecutionOutcome => ({
    status: "failed",
    error: guard.redactRecord(error),
    usage: total(),
  });

  const charge = (meter: OpMeter | null) => {
    if (meter === null) return;
    outside = true;
    usage.ops++;
    usage.promptTokens += meter.promptTokens;
    usage.completionTokens += meter.completionTokens;
    usage.costUsd += meter.costUsd;
  };

  const last = job.replay.at(-1);
  const deliveries = createDeliveries(
    {
      commit: link.commit,
      deliver({ kind, pos, at, payload }) {
        if (!ended) run.deliver(kind, pos, at, guard.reveal(payload));
      },
      failed: () => finish({ status: "lost", suspect: false, cause: toRecord(fail("CONFLICT")) }),
    },
    job.replay.length,
    last?.at ?? job.startedAt,
  );

  const feed = () => {
    while (fed < replay.records.length && run.openTurns() < REPLAY_WINDOW) {
      const record = replay.records[fed++] as JournalRecord;
      if (record.kind !== "part") charge(record.meter);
      run.deliver(record.kind, record.pos, record.at, guard.reveal(record.payload));
    }
    if (fed === replay.records.length && run.openTurns() === 0) for (const pos of fresh.splice(0)) dispatchOp(pos);
  };
  const replaying = () => fed < replay.records.length || fresh.length > 0 || (replay.records.length > 0 && !caughtUp);
  let caughtUp = replay.records.length === 0;

  const dispatchOp = async (pos: number) => {
    const item = waiting.get(pos);
    if (item === undefined || ended) return;
    const { op, hash, args } = item;
    const isOutside = findOp(op)?.effect === "outside";
    if (isOutside) {
      outside = true;
      deliveries.flush();
    }
    const base = { pos, op, hash };
    const delivered = replay.parts(pos).map(guard.reveal);
    const completion = await dispatch({
      pos,
      name: op,
      args,
      now: deliveries.now(),
      scope,
      signal: item.abort.signal,
      delivered,
      meter: () => undefined,
      part: (json) => {
        if (!ended && waiting.has(pos)) {
          deliveries.add({ ...base, kind: "part", payload: guard.hide(json), args: null, meter: null }, false);
        }
      },
    });
    if (ended || !waiting.delete(pos)) return;
    if (isOutside) charge(completion.meter);
    const payload = guard.hide(completion.payload);
    const trace = isOutside ? { args: guard.redact(args), meter: completion.meter } : { args: null, meter: null };
    deliveries.add({ ...base, kind: completion.kind, payload, ...trace }, isOutside);
  };

  const park = async () => {
    if (waiting.size === 0 || deliveries.pending() || stopping !== null || verdict !== null) return;
    const times = [...waiting.values()].map((item) => item.until);
    if (times.some((time) => time === null)) return;
    const wake = Math.min(...(times as number[]));
    if (wake - Date.now() < PARK_MS || (job.deadlineAt !== null && wake >= job.deadlineAt)) return;
    ended = true;
    clearTimeout(deadline);
    stopped.abort();
    run.close(false);
    await deliveries.settle().catch(() => undefined);
    done.resolve({ outcome: { status: "waiting", until: wake, usage: total() }, frozenComplaint: false });
  };

  const accept = (pos: number, op: string, args: string) => {
    const hash = digest("sha256", `${op}\0${guard.hide(args)}`, "base64url");
    const differs = replay.mismatch(pos, op, hash);
    if (differs !== null) {
      finish(failure(differs));
      return;
    }
    if (replay.finished(pos)) return;
    const abort = new AbortController();
    stopped.signal.addEventListener("abort", () => abort.abort(), { once: true, signal: abort.signal });
    waiting.set(pos, { op, hash, args, until: until(op, args), abort });
    if (replaying()) fresh.push(pos);
    else dispatchOp(pos);
  };

  const afterTurn = () => {
    if (verdict !== null) {
      finish(verdict.outcome, verdict.frozenComplaint, true);
    } else if (stopping !== null && run.openTurns() === 0) {
      finish(failure(stopping));
    } else if (!caughtUp) {
      feed();
      caughtUp = fed === replay.records.length && run.openTurns() === 0;
      if (caughtUp) for (const pos of fresh.splice(0)) dispatchOp(pos);
    }
    if (!ended && caughtUp && run.openTurns() === 0) park();
  };

  const listener: RunListener = {
    op(pos, name, args) {
      if (ended || verdict !== null) return;
      if (pos !== nextPos++)
        finish(
          failure(toRecord(fail("EXECUTION_FAILED", { message: "The script broke the order of its ctx calls." }))),
        );
      else accept(pos, name, args);
    },
    drop(pos) {
      const item = waiting.get(pos);
      waiting.delete(pos);
      item?.abort.abort();
    },
    chunk(index, type, content, text) {
      if (ended || verdict !== null) return;
      link.chunks([{ index, type: guard.redact(type), content: guard.redact(content), text }]);
    },
    log(_index, level, message, fields) {
      if (ended) return;
      const parsed = guard.redact(message);
      const line = {
        index: logIndex++,
        level: level as LogLine["level"],
        at: deliveries.now(),
        message: JSON.parse(parsed) as string,
      };
      link.logs([{ ...line, fields: fields === "" ? null : guard.redact(fields) }]);
    },
    done(reads, output) {
      if (verdict !== null || ended) return;
      const bytes = output.length > job.limits.maxOutputBytes / 3 ? Buffer.byteLength(output) : 0;
      if (bytes > job.limits.maxOutputBytes) {
        const message = `output: ${bytes} bytes, over ${job.limits.maxOutputBytes} (maxOutputBytes)`;
        verdict = { outcome: failure(toRecord(fail("LIMIT_EXCEEDED", { message }))), frozenComplaint: false };
        return;
      }
      const pure = !outside && (reads & (READ.clock | READ.random | READ.identity)) === 0;
      verdict = {
        outcome: { status: "completed", output: output === "" ? null : output, pure, usage: total() },
        frozenComplaint: false,
      };
    },
    failed(frozenComplaint, record) {
      if (verdict === null && !ended) verdict = { outcome: failure(guestError(record)), frozenComplaint };
    },
    turn(cpuMs) {
      usage.cpuMs = cpuMs;
      if (!ended) afterTurn();
    },
    lost({ sure, suspect, code }) {
      const message = code === "CPU_LIMIT_EXCEEDED" ? cpuMessage(job) : memoryMessage(job);
      const cause = toRecord(fail(code, { message, limit: code === "CPU_LIMIT_EXCEEDED" ? "cpuMs" : "memoryMb" }));
      if (verdict !== null) finish(verdict.outcome, verdict.frozenComplaint, true);
      else if (sure) finish(failure(cause));
      else if (stopping !== null) finish(failure(stopping));
      else finish({ status: "lost", suspect, cause });
    },
  };

  const stop = (error: ErrorRecord) => {
    if (ended || stopping !== null) return;
    stopping = error;
    stopped.abort();
    run.abort(Date.now(), error.message);
    setTimeout(() => finish(failure(error)), ABORT_GRACE_MS);
  };

  const deadline = armDeadline(job, stop);
  const secrets = JSON.stringify(job.secrets);
  const run: HostRun = host.run(startFacts(job, options.mode), { data: job.data, secrets }, listener);
  return { outcome: done.promise, stop };
}

function cpuMessage({ limits }: ExecutionJob): string {
  return `The script used more CPU time than it may: ${limits.turnMs} ms without a pause (turnMs) or ${limits.cpuMs} ms in all (cpuMs).`;
}

function memoryMessage({ limits }: ExecutionJob): string {
  return `The script used more memory than it may: ${limits.memoryMb} MiB (memoryMb).`;
}

function armDeadline(job: ExecutionJob, stop: (error: ErrorRecord) => void): NodeJS.Timeout | undefined {
  if (job.deadlineAt === null) return undefined;
  const left = Math.max(0, job.deadlineAt - Date.now());
  const message = `The execution ran longer than its timeout of ${job.deadlineAt - job.startedAt} ms.`;
  const error = toRecord(
    fail("EXECUTION_TIMEOUT", { message, limit: "timeoutMs", value: job.deadlineAt - job.startedAt }),
  );
  return setTimeout(() => stop(error), Math.min(left, 2_147_483_647));
}
