import { type AgentTool, fail, parseMcpServer, parseToolRequest, toWorkflowError } from "../../../runtime/index.ts";

type Fields = Readonly<Record<string, unknown>>;
/** What a field of a tool may hold. */
type Rule = "text" | "needed" | "object" | "texts" | "number" | "mode";

const MAX_TOOLS = 128;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const NAMED = { name: "text", description: "text" } as const;
const RULES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  http: { name: "needed", description: "text", parameters: "object", request: "object" },
  mcp: { server: "object", allow: "texts" },
  workflow: { ...NAMED, ref: "needed", parameters: "object" },
  datastore: {
    ...NAMED,
    datastore: "needed",
    mode: "mode",
    top_k: "number",
    fields: "texts",
    min_score: "number",
    filter: "object",
  },
};
const SEARCH_MODES = ["keyword", "vector", "hybrid"];

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const shown = (value: unknown): string => (JSON.stringify(value) ?? typeof value).slice(0, 100);

const refuse = (field: string, rule: string, value: unknown): Error =>
  fail("INVALID_REQUEST", { message: `${field}: ${rule}, got ${shown(value)}`, param: field });

const HOLDS: Readonly<Record<Rule, (value: unknown) => string | null>> = {
  text: (value) => (typeof value === "string" ? null : "must be a string"),
  needed: (value) => (typeof value === "string" && value !== "" ? null : "must be a non-empty string"),
  object: (value) => (isFields(value) ? null : "must be an object"),
  texts: (value) =>
    Array.isArray(value) && value.every((one) => typeof one === "string") ? null : "must be a list of strings",
  number: (value) => (typeof value === "number" ? null : "must be a number"),
  mode: (value) => (SEARCH_MODES.includes(String(value)) ? null : `must be one of ${SEARCH_MODES.join(", ")}`),
};

const REQUIRED: Readonly<Record<string, string>> = {
  http: "request",
  mcp: "server",
  workflow: "ref",
  datastore: "datastore",
};

function checkFields(tool: Fields, rules: Readonly<Record<string, Rule>>, where: string): void {
  for (const [field, value] of Object.entries(tool)) {
    if (field === "type") continue;
    const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
    if (rule === undefined)
      throw refuse(`${where}.${field}`.slice(0, 200), `is no field of a tool of type ${tool["type"]}`, value);
    const problem = HOLDS[rule](value);
    if (problem !== null) throw refuse(`${where}.${field}`, problem, value);
  }
}

/** What leaves the server is checked as when it is called. */
function checkRemote(tool: Fields, where: string): void {
  try {
    if (tool["type"] === "http") parseToolRequest(tool["request"], `${where}.request`);
    if (tool["type"] === "mcp") parseMcpServer(tool["server"], `${where}.server`);
  } catch (thrown) {
    const { message, details } = toWorkflowError(thrown);
    const param = typeof details["field"] === "string" ? details["field"] : where;
    throw fail("INVALID_REQUEST", { message: message.replace(/^agents: /, ""), param }, thrown);
  }
}

function checkTool(tool: unknown, i: number): Fields {
  const where = `tools[${i}]`;
  if (!isFields(tool)) throw refuse(where, "must be an object", tool);
  const type = String(tool["type"]);
  const rules = Object.hasOwn(RULES, type) ? RULES[type] : undefined;
  if (rules === undefined)
    throw refuse(`${where}.type`, `must be one of ${Object.keys(RULES).join(", ")}`, tool["type"]);
  checkFields(tool, rules, where);
  const required = REQUIRED[type] as string;
  if (tool[required] === undefined) throw refuse(`${where}.${required}`, "is required", undefined);
  checkRemote(tool, where);
  if (type === "http" && tool["name"] === undefined) throw refuse(`${where}.name`, "is required", undefined);
  if (tool["name"] !== undefined && !NAME.test(String(tool["name"]))) {
    throw refuse(`${where}.name`, 'must be 1 to 64 letters, digits, "_" or "-"', tool["name"]);
  }
  return tool;
}

function checkNames(tools: readonly Fields[]): void {
  const seen = new Set<unknown>();
  for (const [i, { name }] of tools.entries()) {
    if (name === undefined) continue;
    if (seen.has(name)) throw refuse(`tools[${i}].name`, "is the name of an earlier tool, too", name);
    seen.add(name);
  }
}

/** Checks the tools of a definition; INVALID_REQUEST naming the field, the rule and the value. */
export function checkTools(tools: readonly unknown[]): readonly AgentTool[] {
  if (tools.length > MAX_TOOLS) throw refuse("tools", `must be at most ${MAX_TOOLS}`, tools.length);
  const checked = tools.map(checkTool);
  checkNames(checked);
  return checked as readonly unknown[] as readonly AgentTool[];
}
