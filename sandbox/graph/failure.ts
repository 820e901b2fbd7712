import { door } from "./door.ts";
import type { NodeFailure } from "./types.ts";

type Fields = Readonly<Record<string, unknown>>;

const BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});

/** What can be said of whatever a node threw; values that throw on every touch included. */
export function toFailure(thrown: unknown): NodeFailure {
  try {
    const { message, code, status, details } = fieldsOf(thrown);
    const upstream = fieldsOf(details)["status"];
    return {
      message: typeof message === "string" && message !== "" ? message : String(thrown),
      code: typeof code === "string" ? code : null,
      status: typeof upstream === "number" ? upstream : typeof status === "number" ? status : null,
    };
  } catch {
    return { message: "The node threw a value that cannot be read.", code: null, status: null };
  }
}

/** A member of whatever was thrown; undefined where reading it throws. */
function safe(thrown: unknown, name: string): unknown {
  try {
    return fieldsOf(thrown)[name];
  } catch {
    return undefined;
  }
}

/** True for failures that another attempt may not meet: the network, timeouts, 408, 429, 5xx. */
export function isRetryable(thrown: unknown): boolean {
  const code = safe(thrown, "code");
  const details = safe(thrown, "details");
  const [retryable, status, reason] = [safe(details, "retryable"), safe(details, "status"), safe(details, "reason")];
  if (code === "UPSTREAM_TIMEOUT") return true;
  if (code !== "UPSTREAM_FAILED") return false;
  if (typeof retryable === "boolean") return retryable;
  if (typeof status === "number") return status === 408 || status === 429 || status >= 500;
  return typeof reason === "string";
}

/** How long to wait before the next attempt, ms: what the upstream asked for, else longer each time. */
export function waitBefore(attempt: number, thrown: unknown): number {
  const asked = safe(safe(thrown, "details"), "retry_after_ms");
  if (typeof asked === "number" && asked >= 0) return asked;
  const most = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (attempt - 1));
  return Math.round(most * (0.5 + Math.random() / 2));
}

/** True for errors that end the whole run, whatever a node says: a budget, a stop, a replay that diverged. */
export function isFinal(thrown: unknown): boolean {
  const code = safe(thrown, "code");
  return code === "BUDGET_EXCEEDED" || code === "REPLAY_DIVERGED" || code === "EXECUTION_CANCELLED";
}

/** The error of a run whose node failed. */
export function nodeFault(id: string, attempts: number, thrown: unknown): Error {
  const { message, code, status } = toFailure(thrown);
  // A node within it has failed, which says more.
  if (code === "NODE_EXECUTION_FAILED") return thrown as Error;
  const details = { node_id: id, attempts, cause: code, ...(status === null ? {} : { upstream_status: status }) };
  return door().fault(`Node ${id} failed: ${message}`, details, thrown);
}

/** An error of a node's own making, with the code and details that ctx calls have. */
export function nodeError(code: string, message: string, details: object = {}): Error {
  const type = code.startsWith("UPSTREAM_") ? door().errors.HttpError : door().errors.WorkflowError;
  return new type(message, { code, details });
}
