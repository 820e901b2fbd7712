import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { fail } from "../../runtime/index.ts";
import { isOverTime, timeBox } from "./time-box.ts";

/** One place where an input does not match. */
export interface InputProblem {
  /** JSON pointer into the input; empty for the input itself. */
  readonly path: string;
  readonly message: string;
}

/** Checks an input; throws VALIDATION_ERROR that lists all problems. */
export type InputCheck = (input: unknown) => void;

type Schema = Readonly<Record<string, unknown>>;

/** Problems listed in one error. */
const MAX_PROBLEMS = 100;

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

// A field may itself be called "type": only a string there says JSON Schema (or a keyword no field map has).
const isJsonSchema = (value: Schema): boolean =>
  typeof value["type"] === "string" ||
  Array.isArray(value["type"]) ||
  ["$schema", "$ref", "anyOf", "oneOf", "allOf"].some((key) => key in value);

const FIELD_TYPES = ["string", "number", "boolean", "object", "array"];

function fieldSchema(what: string, name: string, field: unknown): Schema {
  const type = isObject(field) ? field["type"] : undefined;
  if (isObject(field) && typeof type === "string" && FIELD_TYPES.includes(type)) return { type };
  const message = `${what}.${name}.type: must be one of ${FIELD_TYPES.join(", ")}, got ${JSON.stringify(type)}`;
  throw fail("INVALID_WORKFLOW_SCHEMA", { message, param: `${what}.${name}` });
}

/** JSON Schema of what a script exports as a schema: JSON Schema as it is, a Maitai field map converted. Null stays null. */
export function toJsonSchema(raw: unknown, what = "inputSchema"): Schema | boolean | null {
  if (raw === null || raw === undefined || typeof raw === "boolean") return raw ?? null;
  if (!isObject(raw)) throw fail("INVALID_WORKFLOW_SCHEMA", { message: `${what}: must be an object` });
  if (isJsonSchema(raw)) return raw;
  const fields = Object.entries(raw);
  return {
    type: "object",
    properties: Object.fromEntries(fields.map(([name, field]) => [name, fieldSchema(what, name, field)])),
    required: fields.filter(([, field]) => isObject(field) && field["required"] === true).map(([name]) => name),
  };
}

const toProblem = ({ instancePath, message, params }: ErrorObject): InputProblem => {
  const extra = params["additionalProperty"] ?? params["unevaluatedProperty"];
  return {
    path: instancePath,
    message: `${message ?? "does not match"}${extra === undefined ? "" : `: ${String(extra)}`}`,
  };
};

function refuse(errors: readonly ErrorObject[]): Error {
  const problems = errors.slice(0, MAX_PROBLEMS).map(toProblem);
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const message = `input${first?.path ?? ""}: ${first?.message ?? "does not match the schema"}${more}`;
  return fail("VALIDATION_ERROR", { message, problems });
}

/** Keywords with which a small schema or input can take for ever. */
const SLOW = /"(pattern|patternProperties|uniqueItems|contains|enum|const|anyOf|oneOf|\$ref|\$dynamicRef|not|if)":/;
/** Characters from which on any schema can take long on a large input. */
const LONG_SCHEMA = 2_000;
const COMPILE_MS = 1_000;
const CHECK_MS = 250;
/** Longer inputs get their first problem only: a list of all could be larger than the input. */
const LIST_ALL_BELOW = 64 * 1024;

function compile(schema: Schema | boolean, allErrors: boolean): ValidateFunction {
  // One instance per schema: ids of different workflows must not meet. Formats are annotations, as the standard says.
  const ajv = new Ajv2020({ allErrors, strict: false, validateFormats: false, logger: false, addUsedSchema: false });
  if (typeof schema === "boolean") return ajv.compile(schema);
  const { $schema: _dialect, ...rest } = schema;
  return timeBox(COMPILE_MS, () => ajv.compile(rest));
}

function tryCompile(schema: Schema | boolean, what: string): ValidateFunction {
  try {
    return compile(schema, false);
  } catch (cause) {
    const slow = isOverTime(cause) ? `compiling it took over ${COMPILE_MS} ms` : null;
    const reason = slow ?? (cause instanceof Error ? cause.message : "not a JSON Schema");
    throw fail("INVALID_WORKFLOW_SCHEMA", { message: `${what}: ${reason}`, param: what }, cause);
  }
}

/** What `work` returns, or null when it is over its time. */
function inTime<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (isOverTime(error)) return null;
    throw error;
  }
}

/** The problems of an input; the list of all is compiled when it is first needed, and left out where it takes long. */
function createListing(schema: Schema | boolean, quick: ValidateFunction): (input: unknown) => readonly ErrorObject[] {
  let thorough: ValidateFunction | null | undefined;
  return (input) => {
    if (timeBox(CHECK_MS, () => quick(input))) return [];
    const first = quick.errors ?? [];
    if (JSON.stringify(input).length > LIST_ALL_BELOW) return first;
    if (thorough === undefined) thorough = inTime(() => compile(schema, true));
    const all = thorough;
    if (all === null) return first;
    return (inTime(() => timeBox(CHECK_MS, () => all(input))) === false ? all.errors : null) ?? first;
  };
}

/** Compiles an input schema, called `what` in errors; throws INVALID_WORKFLOW_SCHEMA. Null when there is none. */
export function createInputCheck(raw: unknown, what = "inputSchema"): InputCheck | null {
  const schema = toJsonSchema(raw, what);
  if (schema === null) return null;
  const quick = tryCompile(schema, what);
  const list = createListing(schema, quick);
  const text = JSON.stringify(schema);
  const isSlow = text.length > LONG_SCHEMA || SLOW.test(text);
  return (sent) => {
    const input = sent ?? null;
    if (!isSlow && quick(input)) return;
    let problems: readonly ErrorObject[];
    try {
      problems = list(input);
    } catch (error) {
      if (!isOverTime(error)) throw error;
      throw fail(
        "VALIDATION_ERROR",
        { message: `input: checking it against the schema took over ${CHECK_MS} ms` },
        error,
      );
    }
    if (problems.length > 0) throw refuse(problems);
  };
}
