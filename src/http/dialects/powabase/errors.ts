import type { ErrorCode, ErrorRecord, WorkflowError } from "../../../../runtime/index.ts";
import { toRecord } from "../../../../runtime/index.ts";
import { waitHeaders } from "../../wait-headers.ts";
import type { ErrorAnswer } from "../dialect.ts";

/** JSON Schema of an error's body; most routes answer `error` alone. */
export const ERROR_SCHEMA = {
  type: "object",
  required: ["error"],
  properties: {
    error: { type: "string", description: "What is wrong" },
    error_code: { type: "string", examples: ["WORKFLOW_NOT_FOUND", "VALIDATION_ERROR"] },
    execution_id: { type: "string" },
    block_id: { type: "string" },
    details: { type: "array", items: { type: "object" }, description: "Problems of a graph: `{ path, message }`" },
  },
} as const;

const TEXTS: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: "Authorization header required",
  WORKFLOW_NOT_FOUND: "Workflow not found",
  EXECUTION_NOT_FOUND: "Execution not found",
  INTERNAL: "Internal server error",
};

/** The words of this API for our codes: a failure of whatever kind is EXECUTION_FAILED. */
const CODES: Partial<Record<ErrorCode, string>> = {
  INVALID_REQUEST: "VALIDATION_ERROR",
  INVALID_WORKFLOW_SCHEMA: "VALIDATION_ERROR",
  BUNDLE_FAILED: "VALIDATION_ERROR",
  VALIDATION_ERROR: "VALIDATION_ERROR",
  WORKFLOW_NOT_FOUND: "WORKFLOW_NOT_FOUND",
  VERSION_NOT_FOUND: "WORKFLOW_NOT_FOUND",
  EXECUTION_TIMEOUT: "EXECUTION_TIMEOUT",
  EXECUTION_CANCELLED: "EXECUTION_CANCELLED",
  RATE_LIMITED: "RATE_LIMITED",
  BUDGET_EXCEEDED: "BUDGET_EXCEEDED",
  OVERLOADED: "OVERLOADED",
  STOPPING: "STOPPING",
  CONFLICT: "CONFLICT",
  PAYLOAD_TOO_LARGE: "PAYLOAD_TOO_LARGE",
  INTERNAL: "INTERNAL",
};

/** The text of an error. */
export const textOf = ({ code, message }: Pick<ErrorRecord, "code" | "message">): string => TEXTS[code] ?? message;

/** The code of an error. */
export const codeOf = ({ code }: Pick<ErrorRecord, "code">): string => CODES[code] ?? "EXECUTION_FAILED";

/** `{ "error" }` alone, as most routes answer. */
export function toPlainError(error: WorkflowError): ErrorAnswer {
  const record = toRecord(error);
  return { status: error.status, headers: waitHeaders(record), body: { error: textOf(record) } };
}

/** With a code, the run that it ended, and all problems of a graph. */
export function toStructuredBody(record: ErrorRecord, executionId: string | null = null): Record<string, unknown> {
  const { problems, node_id: block } = record.details;
  const isListed = record.code === "INVALID_WORKFLOW_SCHEMA" || record.code === "VALIDATION_ERROR";
  return {
    error: textOf(record),
    error_code: codeOf(record),
    ...(executionId === null ? {} : { execution_id: executionId }),
    ...(typeof block === "string" ? { block_id: block } : {}),
    ...(isListed && Array.isArray(problems) ? { details: problems } : {}),
  };
}

/** An error with its code. */
export function toStructuredError(error: WorkflowError): ErrorAnswer {
  if (error.code === "UNAUTHENTICATED") return toPlainError(error);
  const record = toRecord(error);
  return { status: error.status, headers: waitHeaders(record), body: toStructuredBody(record) };
}
