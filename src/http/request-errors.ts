import { fail, type Limits, toWorkflowError, WorkflowError } from "../../runtime/index.ts";
import type { FastifyError } from "./dialects/dialect.ts";

interface Complaint {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

function nameOf({ instancePath, keyword, params }: Complaint): string {
  const base = instancePath.slice(1).replaceAll("/", ".");
  const extra =
    keyword === "required"
      ? params["missingProperty"]
      : keyword === "additionalProperties"
        ? params["additionalProperty"]
        : null;
  if (typeof extra !== "string") return base;
  return base === "" ? extra : `${base}.${extra}`;
}

function sentence(complaint: Complaint): string {
  const name = nameOf(complaint);
  if (complaint.keyword === "required") return `${name} is required`;
  if (complaint.keyword === "additionalProperties") return `unknown field "${name}"`;
  if (complaint.keyword === "enum")
    return `${name} must be one of ${JSON.stringify(complaint.params["allowedValues"])}`;
  return `${name === "" ? "body" : name} ${complaint.message ?? "is not valid"}`;
}

/** The complaints of a JSON Schema validator as one INVALID_REQUEST that names the fields. */
export function schemaError(complaints: readonly Complaint[]): WorkflowError {
  const [first] = complaints;
  const message = complaints.map(sentence).join("; ");
  return fail("INVALID_REQUEST", { message, param: first === undefined ? null : nameOf(first) || null });
}

function known(error: FastifyError, limits: Limits): WorkflowError | null {
  switch (error.code) {
    case "FST_ERR_CTP_INVALID_JSON_BODY":
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return fail("INVALID_REQUEST", { message: "The body is not valid JSON.", code: "invalid_json" }, error);
    case "FST_ERR_CTP_BODY_TOO_LARGE": {
      const message = `The body is over ${limits.maxBodyBytes} bytes (maxBodyBytes).`;
      return fail("PAYLOAD_TOO_LARGE", { message, limit: "maxBodyBytes", value: limits.maxBodyBytes });
    }
    case "FST_REQ_FILE_TOO_LARGE": {
      const message = `A file is over ${limits.maxAccessoryBytes} bytes (maxAccessoryBytes).`;
      return fail("PAYLOAD_TOO_LARGE", { message, limit: "maxAccessoryBytes", value: limits.maxAccessoryBytes });
    }
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return fail("INVALID_REQUEST", {
        message: "The content type must be application/json (or multipart/form-data for uploads).",
        code: "unsupported_media_type",
      });
    default:
      return null;
  }
}

/** Any error of a request as one of ours; what is not the caller's fault becomes INTERNAL. */
export function toRequestError(error: unknown, limits: Limits): WorkflowError {
  if (error instanceof WorkflowError) return error;
  const raised = error as FastifyError & { readonly validation?: readonly Complaint[] };
  if (raised.validation !== undefined) return schemaError(raised.validation);
  const found = known(raised, limits);
  if (found !== null) return found;
  const status = raised.statusCode ?? 500;
  return status >= 400 && status < 500
    ? fail("INVALID_REQUEST", { message: raised.message }, error)
    : toWorkflowError(error);
}
