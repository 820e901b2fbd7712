import type { WorkflowError } from "../../../../runtime/index.ts";
import { waitHeaders } from "../../wait-headers.ts";
import type { ErrorAnswer } from "../dialect.ts";

/** JSON Schema of an error's body. */
export const ERROR_SCHEMA = {
  type: "object",
  properties: {
    detail: {
      description: "What is wrong; for fields a list of `{ loc, msg, type }`",
      anyOf: [{ type: "string" }, { type: "array", items: { type: "object" } }],
    },
  },
} as const;

const WORDS: Partial<Record<WorkflowError["code"], string>> = {
  UNAUTHENTICATED: "Invalid or missing API key",
  WORKFLOW_NOT_FOUND: "Workflow not found",
  EXECUTION_NOT_FOUND: "Job not found",
  BUDGET_EXCEEDED: "Workflows have been rate limited for your organization due to a credit overage.",
  INTERNAL: "Internal server error",
};

/** A complaint about the request, as clients of FastAPI know it. */
function complaintOf({ message, details }: WorkflowError): readonly object[] {
  const { param } = details;
  const name = typeof param === "string" ? param.split(".") : [];
  const isMissing = message.includes("is required");
  return [{ loc: ["body", ...name], msg: message, type: isMissing ? "missing" : "value_error" }];
}

/** Inputs that do not match what a workflow asks for, one complaint each. */
function inputComplaints({ message, details }: WorkflowError): readonly object[] {
  const problems = (details["problems"] ?? []) as readonly { readonly path: string; readonly message: string }[];
  if (problems.length === 0) return [{ loc: ["body", "inputs"], msg: message, type: "value_error" }];
  return problems.map(({ path, message: msg }) => {
    const missing = /required property '([^']*)'/.exec(msg)?.[1];
    const names = path.split("/").filter((name) => name !== "");
    const loc = ["body", "inputs", ...names, ...(missing === undefined ? [] : [missing])];
    return { loc, msg, type: missing === undefined ? "value_error" : "missing" };
  });
}

function detailOf(error: WorkflowError): unknown {
  const { code, details, message } = error;
  if (code === "VALIDATION_ERROR") return inputComplaints(error);
  if (code === "INVALID_REQUEST" && error.status === 400 && details["code"] !== "invalid_json")
    return complaintOf(error);
  if (code === "NOT_FOUND" && details["code"] === "file_not_found") return "File not found";
  return WORDS[code] ?? message;
}

/** Renders an error as Hatz does: `{"detail": …}`, 422 for fields that are not valid. */
export function toError(error: WorkflowError): ErrorAnswer {
  const detail = detailOf(error);
  return { status: Array.isArray(detail) ? 422 : error.status, headers: waitHeaders(error), body: { detail } };
}
