import type { BundleProblem, ErrorCode, ErrorRecord, WorkflowError } from "../../../../runtime/index.ts";
import { toRecord } from "../../../../runtime/index.ts";
import { parseExecutionId, toExecId } from "../../ids.ts";
import type { ErrorAnswer } from "../dialect.ts";
import { withTopUp } from "./budget-error.ts";

interface Row {
  readonly status: number;
  readonly code: string;
  readonly type: string;
  /** Value of x-should-retry; absent when the header is not sent. */
  readonly retry?: boolean;
}

const caller = (status: number, code: string, retry?: boolean): Row => ({
  status,
  code,
  type: "invalid_request_error",
  ...(retry === undefined ? {} : { retry }),
});
/** A finished run that failed: repeating the request would run it again. */
const run = (status: number, code: string): Row => ({ status, code, type: "workflow_error", retry: false });

/** The error table of the Maitai dialect. */
export const ERROR_TABLE: Readonly<Record<ErrorCode, Row>> = {
  INVALID_REQUEST: caller(400, "invalid_request"),
  VALIDATION_ERROR: caller(400, "invalid_input"),
  INVALID_WORKFLOW_SCHEMA: caller(400, "invalid_script"),
  BUNDLE_FAILED: caller(400, "invalid_script"),
  UNAUTHENTICATED: caller(401, "invalid_api_key"),
  FORBIDDEN: { status: 403, code: "permission_denied", type: "permission_error" },
  WORKFLOW_NOT_FOUND: caller(404, "workflow_not_found"),
  VERSION_NOT_FOUND: caller(404, "version_not_found"),
  EXECUTION_NOT_FOUND: caller(404, "run_not_found"),
  NOT_FOUND: caller(404, "not_found"),
  CONFLICT: caller(409, "conflict", false),
  PAYLOAD_TOO_LARGE: caller(413, "payload_too_large"),
  RATE_LIMITED: { status: 429, code: "rate_limited", type: "rate_limit_error", retry: true },
  OVERLOADED: { status: 429, code: "queue_full", type: "rate_limit_error", retry: true },
  BUDGET_EXCEEDED: { status: 429, code: "budget_exceeded", type: "rate_limit_error", retry: false },
  STOPPING: { status: 503, code: "draining", type: "server_error", retry: true },
  EXECUTION_TIMEOUT: { status: 408, code: "workflow_timeout", type: "timeout_error", retry: false },
  EXECUTION_CANCELLED: run(409, "workflow_cancelled"),
  EXECUTION_FAILED: run(500, "workflow_execution_error"),
  NODE_EXECUTION_FAILED: run(500, "workflow_execution_error"),
  NO_OUTPUT: run(500, "workflow_no_output"),
  OUTPUT_NOT_SERIALIZABLE: run(500, "output_not_serializable"),
  MEMORY_LIMIT_EXCEEDED: run(500, "workflow_out_of_memory"),
  CPU_LIMIT_EXCEEDED: run(500, "workflow_cpu_exceeded"),
  INVALID_ARGUMENT: run(500, "workflow_execution_error"),
  LIMIT_EXCEEDED: run(500, "workflow_limit_exceeded"),
  CAPABILITY_DENIED: run(500, "workflow_execution_error"),
  UPSTREAM_FAILED: run(500, "workflow_execution_error"),
  UPSTREAM_TIMEOUT: run(500, "workflow_execution_error"),
  REPLAY_DIVERGED: run(500, "workflow_replay_diverged"),
  SECRETS_LOST: run(500, "workflow_secrets_lost"),
  INTERNAL: { status: 500, code: "internal_error", type: "server_error", retry: false },
};

/** Errors of ctx calls that nobody caught are named after the call. */
function opCode(op: unknown): string | null {
  if (typeof op !== "string") return null;
  if (op.startsWith("chat.")) return "chat_error";
  return op.startsWith("http.") ? "http_error" : null;
}

/** Errors whose details may name a code of their own: ours for requests, the author's for scripts. */
const HAS_OWN_CODE: ReadonlySet<ErrorCode> = new Set(["INVALID_REQUEST", "NOT_FOUND", "EXECUTION_FAILED"]);

const text = (value: unknown) => (typeof value === "string" ? value : null);

function codeOf(record: ErrorRecord, row: Row): string {
  const own = HAS_OWN_CODE.has(record.code) ? text(record.details["code"]) : null;
  // A code of the catalogue is Weft's own, from a ctx call that nobody caught; the row has the API's word for it.
  if (own !== null && !Object.hasOwn(ERROR_TABLE, own)) return own;
  if (record.code === "INVALID_REQUEST" && record.details["param"] === "model") return "invalid_model";
  return (row.type === "workflow_error" ? opCode(record.details["op"]) : null) ?? row.code;
}

const toProblem = ({ lineText, ...problem }: BundleProblem) => ({ ...problem, line_text: lineText });

/** Details a caller may see, without what the body already says. */
function detailsOf({ code, details }: ErrorRecord): unknown {
  if (code === "INTERNAL") return undefined;
  const { param: _param, code: _code, retry_after: _after, problems, ...rest } = details;
  if (code === "BUNDLE_FAILED" && Array.isArray(problems) && problems.length > 0) return problems.map(toProblem);
  const shown = code === "VALIDATION_ERROR" ? { ...rest, problems } : rest;
  return Object.keys(shown).length === 0 ? undefined : shown;
}

/** JSON Schema of error bodies, for the documentation. */
export const ERROR_SCHEMA = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["message", "type", "code", "param", "request_id"],
      properties: {
        message: { type: "string" },
        type: { type: "string", examples: ["invalid_request_error", "workflow_error"] },
        code: { type: "string", examples: ["workflow_not_found", "workflow_execution_error"] },
        param: { type: ["string", "null"], description: "The field that is wrong." },
        request_id: { type: "string" },
        details: { description: "Facts: problems of a script, or the author's file, line, column and stack." },
      },
    },
  },
} as const;

/** The `error` member of a body or stream frame. */
export function toErrorMember(given: ErrorRecord, requestId: string): Record<string, unknown> {
  const record = withTopUp(given);
  const row = ERROR_TABLE[record.code];
  const details = detailsOf(record);
  return {
    message: record.message,
    type: row.type,
    code: codeOf(record, row),
    param: text(record.details["param"]) ?? (record.code === "BUNDLE_FAILED" ? "script" : null),
    request_id: requestId,
    ...(details === undefined ? {} : { details }),
  };
}

/** HTTP status of an error: the script's own choice where it made one, else the table's. */
export function statusOf(record: ErrorRecord): number {
  return record.status ?? ERROR_TABLE[record.code].status;
}

/** A recorded error as an HTTP answer. */
export function toErrorAnswer(record: ErrorRecord, requestId: string): ErrorAnswer {
  const { retry } = ERROR_TABLE[record.code];
  const told = record.details["retry_after"];
  const after = typeof told === "number" ? Math.ceil(told) : null;
  // A daily pool says when it begins anew, which is later than any client should wait by itself.
  const wait = retry === true ? (after ?? 1) : record.code === "BUDGET_EXCEEDED" ? after : null;
  return {
    status: statusOf(record),
    headers: {
      ...(record.code === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : {}),
      ...(retry === undefined ? {} : { "x-should-retry": String(retry) }),
      ...(wait === null ? {} : { "retry-after": String(wait) }),
    },
    body: { error: toErrorMember(record, requestId) },
  };
}

/** The engine names executions by UUID, this API by `exec_…`. */
function inApiIds(record: ErrorRecord): ErrorRecord {
  const uuid = record.code === "EXECUTION_NOT_FOUND" ? parseExecutionId(String(record.details["id"])) : null;
  if (uuid === null) return record;
  const id = toExecId(uuid);
  return { ...record, message: record.message.replace(uuid, id), details: { ...record.details, id } };
}

/** An error before or instead of a run, as an HTTP answer. */
export const toError = (error: WorkflowError, requestId: string): ErrorAnswer =>
  toErrorAnswer(inApiIds(toRecord(error)), requestId);
