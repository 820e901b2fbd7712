import { type AgentDefinition, fail } from "../../../runtime/index.ts";
import { checkTools } from "./tool-definitions.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What an agent may be called; also a path segment of the HTTP API. */
export const AGENT_NAME = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$";
/** Bytes of a definition as JSON: it is an argument of every model call. */
export const MAX_DEFINITION_BYTES = 256 * 1024;
const DEFAULT_ITERATIONS = 100;
/** Most model calls of one answer that a definition or a call may ask for. */
export const MAX_ITERATIONS = 10_000;
const MAX_DESCRIPTION = 10_000;
const FIELDS = new Set([
  ...[
    "name",
    "description",
    "system_prompt",
    "model",
    "intent",
    "params",
    "tools",
    "response_format",
    "max_iterations",
  ],
]);
/** Parameters that are members of the definition, or belong to one call. */
const NOT_PARAMS = ["messages", "tools", "response_format", "model", "intent", "stream", "agent", "max_iterations"];

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => (JSON.stringify(value) ?? typeof value).slice(0, 100);

/** The INVALID_REQUEST of a field. */
export function refuse(field: string, rule: string, value: unknown): Error {
  return fail("INVALID_REQUEST", { message: `${field}: ${rule}, got ${shown(value)}`, param: field });
}

function text(fields: Fields, name: string): string | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  throw refuse(name, "must be a string", value);
}

function name(value: unknown): string {
  const isId = typeof value === "string" && /^agent_[0-9a-f]{32}$/.test(value);
  if (typeof value === "string" && new RegExp(AGENT_NAME).test(value) && !isId) return value;
  throw refuse(
    "name",
    'must be 1 to 64 letters, digits, "_", "." or "-", beginning with a letter or digit, and no id',
    value,
  );
}

function description(fields: Fields): string {
  const value = text(fields, "description") ?? "";
  if (value.length <= MAX_DESCRIPTION) return value;
  throw refuse("description", `must have at most ${MAX_DESCRIPTION} characters`, value.length);
}

function paramsOf(value: unknown): Fields {
  const params = value ?? {};
  if (!isFields(params)) throw refuse("params", "must be an object", value);
  const own = NOT_PARAMS.find((one) => one in params);
  if (own !== undefined)
    throw refuse(`params.${own}`, "is no parameter of a model; it has a place of its own", params[own]);
  return params;
}

/** Reads a `response_format`; null: text. INVALID_REQUEST. */
export function parseFormat(value: unknown): Fields | null {
  if (value === undefined || value === null) return null;
  const json = isFields(value) ? value["json_schema"] : undefined;
  const type = isFields(value) ? value["type"] : undefined;
  const isSchema = type === "json_schema" && isFields(json) && isFields(json["schema"]);
  if (isFields(value) && (isSchema || type === "json_object" || type === "text")) return value;
  const rule =
    'must be { type: "json_schema", json_schema: { name, schema } }, { type: "json_object" } or { type: "text" }';
  throw refuse("response_format", rule, value);
}

function iterations(value: unknown): number {
  const number = value ?? DEFAULT_ITERATIONS;
  if (typeof number === "number" && Number.isInteger(number) && number >= 1 && number <= MAX_ITERATIONS) return number;
  throw refuse("max_iterations", `must be an integer from 1 to ${MAX_ITERATIONS}`, value);
}

/** Reads the definition of an agent; INVALID_REQUEST naming the field, the rule and the value. */
export function parseDefinition(raw: unknown): AgentDefinition {
  if (!isFields(raw)) throw refuse("agent", "must be an object", raw);
  const unknown = Object.keys(raw).find((field) => !FIELDS.has(field));
  if (unknown !== undefined)
    throw refuse(unknown.slice(0, 100), `is no field of an agent (${[...FIELDS].join(", ")})`, raw[unknown]);
  const tools = raw["tools"] ?? [];
  if (!Array.isArray(tools)) throw refuse("tools", "must be an array", tools);
  const definition: AgentDefinition = {
    name: name(raw["name"]),
    description: description(raw),
    system_prompt: text(raw, "system_prompt") ?? "",
    model: text(raw, "model"),
    intent: text(raw, "intent"),
    params: paramsOf(raw["params"]),
    tools: checkTools(tools),
    response_format: parseFormat(raw["response_format"]),
    max_iterations: iterations(raw["max_iterations"]),
  };
  const bytes = Buffer.byteLength(JSON.stringify(definition));
  if (bytes <= MAX_DEFINITION_BYTES) return definition;
  const message = `agent: ${bytes} bytes as JSON, over ${MAX_DEFINITION_BYTES} (MAX_DEFINITION_BYTES)`;
  throw fail("PAYLOAD_TOO_LARGE", { message, limit: "MAX_DEFINITION_BYTES", value: bytes });
}
