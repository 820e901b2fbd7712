import { installLazy, once } from "./lazy.ts";
import {
  defineProperty,
  freeze,
  getOwnPropertyDescriptor,
  indexOf,
  keys,
  listHas,
  matchOnce,
  NativeError,
  NativeTypeError,
  NativeWeakMap,
  parse,
  slice,
  startsWith,
  stringify,
  text,
  weakGet,
  weakSet,
} from "./primordials.ts";

/** What a script may pass to `new WorkflowError(message, options)`. */
export interface WorkflowErrorOptions {
  readonly code?: string;
  readonly status?: number;
  readonly details?: unknown;
}

/** Gives a class of errors its name, as built-in ones have theirs. */
function named<T extends { readonly prototype: object }>(type: T, name: string): T {
  defineProperty(type.prototype, "name", { value: name, writable: true, configurable: true, enumerable: false });
  return type;
}

const workflowError = once(() =>
  named(
    class WorkflowError extends NativeError {
      readonly code: string;
      readonly status: number | undefined;
      readonly details: unknown;
      constructor(message: string, options: WorkflowErrorOptions = {}) {
        super(message);
        this.code = options.code ?? "EXECUTION_FAILED";
        this.status = options.status;
        this.details = options.details;
      }
    },
    "WorkflowError",
  ),
);

/** The error class scripts may throw to choose the HTTP status, and the parent of every error a ctx call throws. */
export type WorkflowError = InstanceType<ReturnType<typeof workflowError>>;

const CLASSES = {
  WorkflowError: workflowError,
  /** A model call failed. */
  ChatError: once(() => named(class ChatError extends workflowError() {}, "ChatError")),
  /** An HTTP call failed. */
  HttpError: once(() => named(class HttpError extends workflowError() {}, "HttpError")),
  /** A nested workflow failed. */
  NestedWorkflowError: once(() => named(class NestedWorkflowError extends workflowError() {}, "NestedWorkflowError")),
  /** A limit of Weft was reached. */
  LimitError: once(() => named(class LimitError extends workflowError() {}, "LimitError")),
};

/** The classes, as handed to bundles (`import { WorkflowError } from "weft"`). */
export const errorClasses = freeze({
  get WorkflowError() {
    return CLASSES.WorkflowError();
  },
  get ChatError() {
    return CLASSES.ChatError();
  },
  get HttpError() {
    return CLASSES.HttpError();
  },
  get NestedWorkflowError() {
    return CLASSES.NestedWorkflowError();
  },
  get LimitError() {
    return CLASSES.LimitError();
  },
});

/** Installs the error classes as globals. */
export function installErrors(global: object): void {
  const names = keys(CLASSES);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as keyof typeof CLASSES;
    installLazy(global, name, CLASSES[name]);
  }
}

/** An error as the other side of the wall reports it. */
export interface OpError {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
  readonly status?: number;
}

/** Errors made by the prelude itself, with the code their record keeps. */
interface Origin {
  readonly code: string;
  readonly op: string;
}
const codes = new NativeWeakMap<object, Origin>();
const remember = (error: object, origin: Origin) => weakSet(codes, error, origin);
const recall = (error: object) => weakGet(codes, error) as Origin | undefined;

function classOf(op: string, code: string): ReturnType<typeof workflowError> {
  if (code === "LIMIT_EXCEEDED") return CLASSES.LimitError();
  if (startsWith(op, "chat.")) return CLASSES.ChatError();
  if (startsWith(op, "http.")) return CLASSES.HttpError();
  if (startsWith(op, "workflow.")) return CLASSES.NestedWorkflowError();
  return workflowError();
}

/** Makes the error a ctx call throws; `site` is an Error made where the script called, for its stack. */
export function makeOpError(op: string, error: OpError, site: Error | null): WorkflowError {
  const type = classOf(op, error.code);
  const made = new type(error.message, {
    code: error.code,
    details: error.details,
    ...(error.status === undefined ? {} : { status: error.status }),
  });
  if (site !== null) {
    const frames = text(site.stack);
    const from = indexOf(frames, "\n");
    const stack = `${made.name}: ${error.message}${from < 0 ? "" : slice(frames, from)}`;
    defineProperty(made, "stack", { value: stack, writable: true, configurable: true, enumerable: false });
  }
  remember(made, { code: error.code, op });
  return made;
}

/** The error of a graph whose node failed: it has the node's own message and stack. */
export function nodeFault(message: string, details: unknown, cause: unknown): WorkflowError {
  const site = cause instanceof NativeError ? cause : null;
  return makeOpError("", { code: "NODE_EXECUTION_FAILED", message, details }, site);
}

const MAX_TEXT = 16_384;
const MAX_CODE = 100;
const STATUSES = [400, 404, 409, 422, 500];

function field(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function clip(value: unknown, max = MAX_TEXT): string | undefined {
  return typeof value === "string" ? slice(value, 0, max) : undefined;
}

/** What the script's own `details` may add to a record: only what JSON can carry. */
function plain(value: unknown): unknown {
  try {
    const json = stringify(value);
    return json === undefined || json.length > MAX_TEXT ? undefined : parse(json);
  } catch {
    return undefined;
  }
}

function describeObject(thrown: object): Record<string, unknown> {
  const name = clip(field(thrown, "name"));
  const message = clip(field(thrown, "message")) ?? "";
  const own = recall(thrown);
  const ours = thrown instanceof workflowError();
  const status = field(thrown, "status");
  const chosen = ours && typeof status === "number" && listHas(STATUSES, status) ? { status } : {};
  const code = own?.code ?? "EXECUTION_FAILED";
  const isPlainError = ours || name === undefined || name === "Error" || own !== undefined;
  return {
    code,
    message: isPlainError ? message || "The script threw an error without a message." : `${name}: ${message}`,
    details: {
      stack: clip(field(thrown, "stack")),
      ...(own === undefined ? {} : { op: own.op }),
      ...(own?.code === "NODE_EXECUTION_FAILED" ? (plain(field(thrown, "details")) as object | undefined) : {}),
      ...(ours && own?.code !== "NODE_EXECUTION_FAILED"
        ? { code: clip(field(thrown, "code"), MAX_CODE), details: plain(field(thrown, "details")) }
        : {}),
    },
    ...chosen,
  };
}

/** Why something failed, of whatever was thrown; proxies that throw on every touch included. */
export function reasonOf(thrown: unknown): string {
  try {
    return thrown instanceof NativeError ? text(thrown.message) : "unknown reason";
  } catch {
    return "unknown reason";
  }
}

/** Turns whatever a script threw into a plain record; reading it runs guest code, so only ever inside a turn. */
export function describeThrown(thrown: unknown): Record<string, unknown> {
  try {
    return describeReadable(thrown);
  } catch {
    return { code: "EXECUTION_FAILED", message: "The script threw a value that cannot be read.", details: {} };
  }
}

function describeReadable(thrown: unknown): Record<string, unknown> {
  if (typeof thrown === "object" && thrown !== null) return describeObject(thrown);
  let shown: string;
  try {
    shown = text(thrown);
  } catch {
    shown = typeof thrown;
  }
  return { code: "EXECUTION_FAILED", message: `The script threw ${slice(shown, 0, 200)}`, details: {} };
}

/** An Error that records where the script is now; cheap until its stack is read. */
export function callSite(): Error {
  return new NativeError();
}

const FROZEN =
  /read only property|not extensible|Cannot redefine property|Cannot delete property|which has only a getter/;

/** True for errors that mean "the script cannot live with frozen intrinsics". */
export function isFrozenComplaint(thrown: unknown): boolean {
  try {
    if (!(thrown instanceof NativeTypeError)) return false;
    const message = getOwnPropertyDescriptor(thrown, "message")?.value;
    return typeof message === "string" && matchOnce(FROZEN, message) !== null;
  } catch {
    return false;
  }
}
