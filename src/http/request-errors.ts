import { fail, fromRecord, type Limits, toWorkflowError, WorkflowError } from "../../runtime/index.ts";
import type { FastifyError, Request } from "./dialects/dialect.ts";

/** One complaint of the JSON Schema validator; `data` is the value complained about. */
export interface Complaint {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
}

/** Characters of a value shown in a message. */
const MAX_SHOWN = 80;

/** Keywords about a member that the value lacks or should not have, and the parameter that names it. */
const MEMBER: Readonly<Record<string, string>> = {
  required: "missingProperty",
  additionalProperties: "additionalProperty",
};

function nameOf({ instancePath, keyword, params }: Complaint): string {
  const base = instancePath.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
  const member = params[MEMBER[keyword] ?? ""];
  if (typeof member !== "string") return base;
  return base === "" ? member : `${base}.${member}`;
}

function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  const json = JSON.stringify(value) ?? "nothing";
  return json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json;
}

function sentence(complaint: Complaint): string {
  const { keyword, message, params, data } = complaint;
  const name = nameOf(complaint) || "body";
  if (keyword === "required") return `${name}: is required`;
  if (keyword === "additionalProperties") return `${name}: there is no such field`;
  if (keyword === "enum")
    return `${name}: must be one of ${JSON.stringify(params["allowedValues"])}, got ${shown(data)}`;
  return `${name}: ${message ?? "is not valid"}, got ${shown(data)}`;
}

/** The complaints of a JSON Schema validator as one INVALID_REQUEST that names the fields. */
export function schemaError(complaints: readonly Complaint[]): WorkflowError {
  const [first] = complaints;
  // What an alternative of a schema lacks says more than that it was not met.
  const message = complaints
    .filter(({ keyword }) => keyword !== "if")
    .map(sentence)
    .join("; ");
  return fail("INVALID_REQUEST", { message, param: first === undefined ? null : nameOf(first) || null });
}

/** The error of a path that has other methods. */
export function methodNotAllowed(method: string, allowed: readonly string[]): WorkflowError {
  const message = `${method} is not allowed here; use ${allowed.join(" or ")}.`;
  return fromRecord({ code: "NOT_FOUND", message, details: { code: "method_not_allowed" }, status: 405 });
}

function unsupportedMediaType({ headers }: Request): WorkflowError {
  const type = headers["content-type"];
  const got = type === undefined ? "none was sent" : `got ${shown(type)}`;
  const message = `content-type: must be application/json (or multipart/form-data for uploads), ${got}`;
  return fromRecord({ code: "INVALID_REQUEST", message, details: { code: "unsupported_media_type" }, status: 415 });
}

function bodyTooLarge({ headers }: Request, { maxBodyBytes }: Limits): WorkflowError {
  const length = headers["content-length"];
  const size = length === undefined ? "body" : `body: ${length} bytes,`;
  const value = length === undefined ? null : Number(length);
  return fail("PAYLOAD_TOO_LARGE", {
    message: `${size} over ${maxBodyBytes} (maxBodyBytes)`,
    limit: "maxBodyBytes",
    value,
  });
}

/** Any error of a request as one of ours; what is not the caller's fault becomes INTERNAL. */
export function toRequestError(error: unknown, request: Request, limits: Limits): WorkflowError {
  if (error instanceof WorkflowError) return error;
  const raised = error as Partial<FastifyError> & { readonly validation?: readonly Complaint[] };
  if (raised.validation !== undefined) return schemaError(raised.validation);
  if (raised.code === "FST_ERR_CTP_BODY_TOO_LARGE") return bodyTooLarge(request, limits);
  if (raised.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE" || raised.code === "FST_INVALID_MULTIPART_CONTENT_TYPE")
    return unsupportedMediaType(request);
  const status = raised.statusCode ?? 500;
  if (status === 413)
    return fail("PAYLOAD_TOO_LARGE", { message: `form: ${raised.message ?? "too many parts"}` }, error);
  return status >= 400 && status < 500
    ? fail("INVALID_REQUEST", { message: raised.message ?? "The request is not valid." }, error)
    : toWorkflowError(error);
}
