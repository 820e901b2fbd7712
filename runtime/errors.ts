/** Whose fault an error is: decides logging, retries and who gets paged. */
export type Blame = "caller" | "script" | "upstream" | "system";

interface ErrorKind {
  readonly status: number;
  readonly blame: Blame;
  readonly retryable: boolean;
  /** Turns the details into the sentence a person reads. */
  readonly message: (details: Details) => string;
}

/** Facts of one error: plain JSON, safe to show to the caller. */
export type Details = Readonly<Record<string, unknown>>;

const say = (fallback: string) => (details: Details) =>
  typeof details["message"] === "string" ? details["message"] : fallback;

const kind = (status: number, blame: Blame, retryable: boolean, message: (details: Details) => string): ErrorKind => ({
  status,
  blame,
  retryable,
  message,
});

/** Every error Weft can report. The documentation table is checked against it. */
export const CATALOGUE = {
  INVALID_REQUEST: kind(400, "caller", false, say("The request is not valid.")),
  VALIDATION_ERROR: kind(400, "caller", false, say("The input does not match the workflow's schema.")),
  INVALID_WORKFLOW_SCHEMA: kind(400, "caller", false, say("The workflow's schema is not valid.")),
  BUNDLE_FAILED: kind(400, "caller", false, say("The script could not be bundled.")),
  UNAUTHENTICATED: kind(401, "caller", false, say("Invalid or missing API key")),
  FORBIDDEN: kind(403, "caller", false, say("The API key does not allow this.")),
  WORKFLOW_NOT_FOUND: kind(404, "caller", false, (d) => `Workflow not found: ${String(d["ref"])}`),
  VERSION_NOT_FOUND: kind(
    404,
    "caller",
    false,
    (d) => `Version not found: ${String(d["ref"])}@${String(d["version"])}`,
  ),
  EXECUTION_NOT_FOUND: kind(404, "caller", false, (d) => `Execution not found: ${String(d["id"])}`),
  NOT_FOUND: kind(404, "caller", false, say("There is nothing at this address.")),
  CONFLICT: kind(409, "caller", false, say("The request conflicts with the current state.")),
  PAYLOAD_TOO_LARGE: kind(413, "caller", false, say("The request is too large.")),
  RATE_LIMITED: kind(429, "caller", true, say("Too many requests.")),
  BUDGET_EXCEEDED: kind(429, "caller", false, say("The budget is used up.")),
  EXECUTION_FAILED: kind(500, "script", false, say("The script failed.")),
  NODE_EXECUTION_FAILED: kind(500, "script", false, say("A node of the graph failed.")),
  NO_OUTPUT: kind(500, "script", false, say("execute(ctx) returned nothing; return a value (null is allowed).")),
  OUTPUT_NOT_SERIALIZABLE: kind(500, "script", false, say("The returned value cannot be written as JSON.")),
  MEMORY_LIMIT_EXCEEDED: kind(500, "script", false, say("The script used more memory than it may.")),
  CPU_LIMIT_EXCEEDED: kind(500, "script", false, say("The script used more CPU time than it may.")),
  EXECUTION_TIMEOUT: kind(504, "script", false, say("The execution ran longer than its timeout.")),
  EXECUTION_CANCELLED: kind(409, "caller", false, say("The execution was cancelled.")),
  INVALID_ARGUMENT: kind(500, "script", false, say("A ctx call got an argument it cannot use.")),
  LIMIT_EXCEEDED: kind(500, "script", false, say("A limit was exceeded.")),
  CAPABILITY_DENIED: kind(500, "script", false, say("The script may not do this.")),
  UPSTREAM_FAILED: kind(500, "upstream", false, say("An upstream service failed.")),
  UPSTREAM_TIMEOUT: kind(500, "upstream", false, say("An upstream service did not answer in time.")),
  REPLAY_DIVERGED: kind(500, "script", false, say("The replay did not follow the recorded journal.")),
  SECRETS_LOST: kind(
    500,
    "system",
    false,
    say("The execution was interrupted and its secrets, which are never stored, are gone; call it again."),
  ),
  OVERLOADED: kind(503, "system", true, say("The server is busy; try again shortly.")),
  STOPPING: kind(503, "system", true, say("The server is shutting down; try again shortly.")),
  INTERNAL: kind(500, "system", false, () => "An internal error occurred."),
} as const satisfies Record<string, ErrorKind>;

/** The name of an error in the catalogue. */
export type ErrorCode = keyof typeof CATALOGUE;

/** What crosses isolate, thread, process and store: plain JSON. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Details;
  /** HTTP status chosen by a script's `throw new WorkflowError(…, { status })`; else the catalogue's. */
  readonly status?: number;
}

/** The one error class of Weft; made only through {@link fail} or {@link fromRecord}. */
export class WorkflowError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly blame: Blame;
  readonly retryable: boolean;
  readonly details: Details;

  constructor(code: ErrorCode, details: Details, options: { message?: string; cause?: unknown; status?: number } = {}) {
    const entry = CATALOGUE[code];
    super(
      options.message ?? entry.message(details),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "WorkflowError";
    this.code = code;
    this.status = options.status ?? entry.status;
    this.blame = entry.blame;
    this.retryable = entry.retryable;
    this.details = details;
  }
}

/** Makes (does not throw) the error `code` of the catalogue; `cause` is kept for the server's log only. */
export function fail(code: ErrorCode, details: Details = {}, cause?: unknown): WorkflowError {
  const { message: _, ...facts } = details;
  return new WorkflowError(code, facts, { message: CATALOGUE[code].message(details), cause });
}

/** Any thrown value as a WorkflowError; what is not ours becomes INTERNAL with a hidden message. */
export function toWorkflowError(thrown: unknown): WorkflowError {
  return thrown instanceof WorkflowError ? thrown : fail("INTERNAL", {}, thrown);
}

/** The plain form of an error, for the wire and the store. */
export function toRecord(error: WorkflowError): ErrorRecord {
  const { code, message, details } = error;
  return error.status === CATALOGUE[code].status
    ? { code, message, details }
    : { code, message, details, status: error.status };
}

/** The error of a plain record that came back from the wire or the store. */
export function fromRecord(record: ErrorRecord): WorkflowError {
  const code = record.code in CATALOGUE ? record.code : "INTERNAL";
  return new WorkflowError(code, record.details, {
    message: record.message,
    ...(record.status === undefined ? {} : { status: record.status }),
  });
}
