import { type ErrorCode, type ErrorRecord, fromRecord, type Usage } from "../../runtime/index.ts";
import { DEFAULT_RETRIES, type Failure, type Retries } from "./config/retries.ts";
import { finishFailed, giveUpPlace } from "./finish.ts";
import { locateError } from "./guest-error.ts";
import type { LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";
import { stopRun } from "./stopping.ts";
import { waitToBegin } from "./wait.ts";

/** Another attempt would end in the same way, or nobody wants it. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "SECRETS_LOST",
  "EXECUTION_CANCELLED",
  "EXECUTION_TIMEOUT",
  "BUDGET_EXCEEDED",
  "REPLAY_DIVERGED",
]);

const FAILURES: Readonly<Record<string, Failure>> = {
  system: "infrastructure",
  upstream: "upstream",
  script: "script",
};

/** Whose failure an error is; null = not one that is ever tried again. */
export function failureOf(error: ErrorRecord): Failure | null {
  return FINAL.has(error.code) ? null : (FAILURES[fromRecord(error).blame] ?? null);
}

/** Wait before the attempt after `retries` earlier ones, ms. */
export function backoffMs({ backoff, delayMs, maxDelayMs }: Retries, retries: number): number {
  return Math.min(maxDelayMs, backoff === "fixed" ? delayMs : delayMs * 2 ** retries);
}

/** Callers who wait are kept waiting only if the script says so. */
function rulesOf({ call }: LiveRun): Retries | null {
  return call.plan.config.retries ?? (call.execution.mode === "background" ? DEFAULT_RETRIES : null);
}

/** When the run is tried again (ms since the epoch); null = it has failed. */
function nextAttempt(run: LiveRun, error: ErrorRecord): number | null {
  const rules = rulesOf(run);
  const failure = failureOf(error);
  if (rules === null || failure === null || run.stopping !== null) return null;
  if (!rules.on.includes(failure) || run.retries >= rules.max) return null;
  const at = Date.now() + backoffMs(rules, run.retries);
  const isLate = run.call.execution.mode !== "background" && run.deadlineAt !== null && at >= run.deadlineAt;
  return isLate ? null : at;
}

/** Puts a run that failed back into the queue where its rules allow it; false when it has failed for good. */
async function retry(run: LiveRun, raw: ErrorRecord, usage: Usage, parts: Parts): Promise<boolean> {
  const until = nextAttempt(run, raw);
  if (until === null) return false;
  const error = await locateError(raw, run.call.plan.version, parts.store).catch(() => raw);
  const timeoutFrom = run.call.execution.mode === "background" ? until : null;
  run.attempt++;
  run.waits?.clear();
  run.resumed = true;
  run.share(null);
  const stored = run.row.retry({ until, timeoutFrom, error, usage });
  run.phase = "queued";
  giveUpPlace(run, parts);
  if (run.isGated) parts.claims.wake();
  if (!(await stored)) {
    run.phase = "running";
    return false;
  }
  parts.claims.due(until);
  if (run.phase !== "queued") return true;
  if (run.isForgettable) parts.live.remove(run);
  else waitToBegin(run, (given) => stopRun(run, given, parts));
  return true;
}

/** What becomes of a run that failed: another attempt, or its end. */
export async function endOrRetry(
  run: LiveRun,
  error: ErrorRecord,
  parts: Parts,
  usage: Usage = run.spent,
): Promise<void> {
  if (!(await retry(run, error, usage, parts))) await finishFailed(run, error, parts, usage);
}
