import type { ErrorCode, ErrorRecord, WorkflowError } from "../../../../runtime/index.ts";
import { toRecord } from "../../../../runtime/index.ts";
import { toExecId } from "../../ids.ts";
import { waitHeaders } from "../../wait-headers.ts";
import type { ErrorAnswer } from "../dialect.ts";

/** JSON Schema of an error's body. */
export const ERROR_SCHEMA = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["message", "type"],
      properties: {
        message: { type: "string" },
        type: { type: "string", examples: ["validation_error", "workflow_execution_error"] },
        code: { type: "string", examples: ["invalid_workflow", "node_execution_failed"] },
        param: { type: ["string", "null"] },
        request_id: { type: "string" },
        details: { description: "Problems `{ path, message }`, or facts of a run that failed" },
      },
    },
  },
} as const;

interface Word {
  readonly type: string;
  readonly code: string;
  readonly status?: number;
}

const WORDS: Partial<Record<ErrorCode, Word>> = {
  INVALID_REQUEST: { type: "validation_error", code: "invalid_request" },
  INVALID_WORKFLOW_SCHEMA: { type: "validation_error", code: "invalid_workflow" },
  BUNDLE_FAILED: { type: "validation_error", code: "invalid_workflow" },
  VALIDATION_ERROR: { type: "validation_error", code: "invalid_inputs" },
  UNAUTHENTICATED: { type: "authentication_error", code: "invalid_api_key" },
  FORBIDDEN: { type: "permission_error", code: "permission_denied" },
  WORKFLOW_NOT_FOUND: { type: "invalid_request_error", code: "workflow_not_found" },
  EXECUTION_NOT_FOUND: { type: "invalid_request_error", code: "execution_not_found" },
  NOT_FOUND: { type: "invalid_request_error", code: "not_found" },
  CONFLICT: { type: "invalid_request_error", code: "conflict" },
  PAYLOAD_TOO_LARGE: { type: "invalid_request_error", code: "payload_too_large" },
  RATE_LIMITED: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  OVERLOADED: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  BUDGET_EXCEEDED: { type: "rate_limit_error", code: "budget_exceeded" },
  STOPPING: { type: "server_error", code: "stopping" },
  INTERNAL: { type: "server_error", code: "internal_error" },
  EXECUTION_TIMEOUT: { type: "workflow_execution_error", code: "execution_timeout" },
  EXECUTION_CANCELLED: { type: "workflow_execution_error", code: "execution_cancelled" },
};

/** What a model's refusal means to callers: it is not there, or was asked for too much. */
function modelWord({ details, message }: ErrorRecord): Word | null {
  const type = "workflow_execution_error";
  const { upstream_status: status } = details;
  if (status === 404) return { type, code: "model_not_available", status: 503 };
  const isTooLong = status === 400 && /context.?length|maximum context|too many tokens|token limit/i.test(message);
  return isTooLong ? { type, code: "token_limit_exceeded", status: 400 } : null;
}

const FAILED: Word = { type: "workflow_execution_error", code: "node_execution_failed" };

function wordOf(record: ErrorRecord): Word {
  if (record.code === "NODE_EXECUTION_FAILED") return modelWord(record) ?? FAILED;
  return WORDS[record.code] ?? { ...FAILED, code: record.code.toLowerCase() };
}

function detailsOf({ code, details }: ErrorRecord): unknown {
  const { problems } = details;
  const isListed = code === "INVALID_WORKFLOW_SCHEMA" || code === "VALIDATION_ERROR" || code === "BUNDLE_FAILED";
  return isListed && Array.isArray(problems) ? problems : undefined;
}

/** An error before or instead of a run. */
export function toError(error: WorkflowError, requestId: string): ErrorAnswer {
  const record = toRecord(error);
  const { type, code } = wordOf(record);
  const { param } = record.details;
  const details = detailsOf(record);
  const message = error.code === "UNAUTHENTICATED" ? "Invalid or missing API key" : record.message;
  const member = { message, type, code, param: typeof param === "string" ? param : null, request_id: requestId };
  const shown = details === undefined ? member : { ...member, details };
  return { status: error.status, headers: waitHeaders(record), body: { error: shown } };
}

/** What a run that failed leaves behind. */
export interface FailedRun {
  readonly executionId: string;
  readonly requestId: string;
  readonly partialOutputs: Readonly<Record<string, unknown>>;
}

/** The error of a run; `status`: that of our own table. */
export function toRunError(record: ErrorRecord, status: number, run: FailedRun): ErrorAnswer {
  const word = wordOf(record);
  const { node_id: node } = record.details;
  const details = {
    execution_id: toExecId(run.executionId),
    ...(typeof node === "string" ? { node_id: node } : {}),
    partial_outputs: run.partialOutputs,
  };
  const error = { message: record.message, type: word.type, code: word.code, request_id: run.requestId, details };
  return { status: word.status ?? status, headers: waitHeaders(record), body: { error } };
}
