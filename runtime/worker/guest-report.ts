import { READ } from "../../sandbox/wire.ts";
import { CATALOGUE, type ErrorCode, type ErrorRecord, fail, toRecord } from "../errors.ts";
import type { ExecutionJob } from "../execution.ts";

/** Codes a guest may end with; anything else it claims is EXECUTION_FAILED. */
const GUEST_CODES = new Set<string>([
  "EXECUTION_FAILED",
  "NODE_EXECUTION_FAILED",
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

interface RawReport {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly details?: unknown;
  readonly status?: unknown;
}

function parseReport(text: string): RawReport {
  try {
    return (JSON.parse(text) as RawReport | null) ?? {};
  } catch {
    return {};
  }
}

/** The error a guest reported, with nothing in it that a guest may not decide. */
export function parseGuestError(text: string): ErrorRecord {
  const { code: claimed, message, details: facts, status } = parseReport(text);
  const code = typeof claimed === "string" && GUEST_CODES.has(claimed) ? (claimed as ErrorCode) : "EXECUTION_FAILED";
  const details = typeof facts === "object" && facts !== null ? (facts as Record<string, unknown>) : {};
  const chosen = typeof status === "number" && GUEST_STATUSES.has(status) ? { status } : {};
  return {
    code,
    message: typeof message === "string" ? message : CATALOGUE[code].message(details),
    details,
    ...chosen,
  };
}

/** The error of a script that was stopped for CPU time or memory, or with the process it was in. */
export function resourceError(code: ErrorCode, { limits }: ExecutionJob): ErrorRecord {
  if (code === "CPU_LIMIT_EXCEEDED") {
    const message = `The script used more CPU time than it may: ${limits.turnMs} ms without a pause (turnMs) or ${limits.cpuMs} ms in all (cpuMs).`;
    return toRecord(fail(code, { message, limit: "cpuMs", turnMs: limits.turnMs, cpuMs: limits.cpuMs }));
  }
  if (code === "EXECUTION_FAILED") {
    const message = "The process that ran the script sent something that cannot be read and was stopped.";
    return toRecord(fail(code, { message }));
  }
  const message = `The script used more memory than it may: ${limits.memoryMb} MiB (memoryMb).`;
  return toRecord(fail(code, { message, limit: "memoryMb", value: limits.memoryMb }));
}

/** The error of a run that reached its deadline. */
export function timeoutError({ timeoutMs: value }: ExecutionJob): ErrorRecord {
  const message = `The execution ran longer than its timeout of ${value} ms.`;
  return toRecord(fail("EXECUTION_TIMEOUT", { message, limit: "timeoutMs", value }));
}

/** The error of a script whose ctx calls are not numbered one after another. */
export function orderError(): ErrorRecord {
  return toRecord(fail("EXECUTION_FAILED", { message: "The script broke the order of its ctx calls." }));
}

/** The error of a script that waits for nothing that could end. */
export function stuckError(): ErrorRecord {
  const message = "The script waits for something that cannot happen: no ctx call and no timer is under way.";
  return toRecord(fail("EXECUTION_FAILED", { message }));
}

/** The error of an output over its limit; null when it fits. */
export function outputError(output: string, { limits }: ExecutionJob): ErrorRecord | null {
  if (output.length <= limits.maxOutputBytes / 3) return null;
  const bytes = Buffer.byteLength(output);
  if (bytes <= limits.maxOutputBytes) return null;
  const message = `output: ${bytes} bytes, over ${limits.maxOutputBytes} (maxOutputBytes)`;
  return toRecord(fail("LIMIT_EXCEEDED", { message, limit: "maxOutputBytes", value: bytes }));
}

/** True when a guest read nothing that its cache key does not cover. */
export function isPureRead(reads: number): boolean {
  return (reads & (READ.clock | READ.random | READ.identity)) === 0;
}
