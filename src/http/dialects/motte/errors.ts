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
    error: { type: "string", description: "What is wrong" },
    error_code: { type: "string", examples: ["WORKFLOW_NOT_FOUND", "INVALID_WORKFLOW_SCHEMA"] },
    code: { type: "string", description: "The same as error_code" },
    execution_id: { type: "string" },
    node_id: { type: "string" },
    details: { type: "array", items: { type: "object" }, description: "Problems: `{ path, message }`" },
  },
} as const;

const TEXTS: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: "Authorization header required",
  INTERNAL: "Internal server error",
};

/** Codes that callers of this API know, for those of ours that are finer. */
const CODES: Partial<Record<ErrorCode, string>> = {
  EXECUTION_NOT_FOUND: "EXECUTION_NOT_FOUND",
  BUNDLE_FAILED: "INVALID_WORKFLOW_SCHEMA",
  OVERLOADED: "OVERLOADED",
};

function problemsOf({ code, details }: ErrorRecord): readonly object[] | null {
  const { problems } = details;
  const isListed = code === "INVALID_WORKFLOW_SCHEMA" || code === "VALIDATION_ERROR" || code === "BUNDLE_FAILED";
  return isListed && Array.isArray(problems) ? (problems as readonly object[]) : null;
}

/** A recorded error as a body; `executionId`: the run that it ended. */
export function toErrorBody(record: ErrorRecord, executionId: string | null = null): Record<string, unknown> {
  const code = CODES[record.code] ?? record.code;
  const { node_id: node } = record.details;
  const problems = problemsOf(record);
  return {
    error: TEXTS[record.code] ?? record.message,
    error_code: code,
    code,
    ...(executionId === null ? {} : { execution_id: toExecId(executionId) }),
    ...(typeof node === "string" ? { node_id: node } : {}),
    ...(problems === null ? {} : { details: problems }),
  };
}

/** An error before or instead of a run. */
export function toError(error: WorkflowError): ErrorAnswer {
  const record = toRecord(error);
  if (error.code === "UNAUTHENTICATED") return { status: 401, headers: {}, body: { error: TEXTS.UNAUTHENTICATED } };
  return { status: error.status, headers: waitHeaders(record), body: toErrorBody(record) };
}
