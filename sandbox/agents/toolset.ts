import { type AgentDoor, type Fields, isFields, shown, type Tool, type ToolAnswer, type Toolset } from "./types.ts";

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const HITS = 10;

interface ListedTool {
  readonly name: string;
  readonly tool: string;
  readonly description: string;
  readonly parameters: Fields;
}

const invalid = (door: AgentDoor, message: string) => door.error("INVALID_ARGUMENT", `tools${message}`);

function text(door: AgentDoor, value: unknown, where: string): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  throw invalid(door, `${where}: must be a string, got ${shown(value)}`);
}

function nameOf(door: AgentDoor, value: unknown, where: string): string {
  if (typeof value === "string" && NAME.test(value)) return value;
  throw invalid(door, `${where}.name: must be 1 to 64 letters, digits, "_" or "-", got ${shown(value)}`);
}

function parametersOf(door: AgentDoor, value: unknown, where: string): Fields | null {
  if (value === undefined || value === null) return null;
  if (!isFields(value)) throw invalid(door, `${where}.parameters: must be a JSON Schema, got ${shown(value)}`);
  if ("_zod" in value)
    throw invalid(door, `${where}.parameters: is a zod schema; convert it with z.toJSONSchema(schema)`);
  return value;
}

/** What a tool returned, as text: a string as it is, anything else as JSON. */
function toAnswer(value: unknown): ToolAnswer {
  if (typeof value === "string") return { text: value, isError: false };
  return { text: JSON.stringify(value ?? null) ?? `a ${typeof value}, which is no JSON`, isError: false };
}

/** A function of the script: Weft's form, or that of the openai client. */
function ownTool(door: AgentDoor, entry: Fields, where: string): Tool {
  const fields = isFields(entry["function"]) ? entry["function"] : entry;
  const name = nameOf(door, fields["name"], where);
  const execute = fields["execute"] ?? fields["function"];
  if (typeof execute !== "function") {
    throw invalid(
      door,
      `${where}.execute: must be a function, got ${shown(execute)}; it runs when the model calls ${name}`,
    );
  }
  return {
    name,
    description: text(door, fields["description"], `${where}.description`),
    parameters: parametersOf(door, fields["parameters"], where),
    checked: true,
    run: async (args) => toAnswer(await execute(args)),
  };
}

const remoteAnswer = (answer: unknown): ToolAnswer => {
  const { content, is_error: isError } = answer as { readonly content: string; readonly is_error: boolean };
  return { text: content, isError };
};

function httpTool(door: AgentDoor, entry: Fields, where: string): Tool {
  return {
    name: nameOf(door, entry["name"], where),
    description: text(door, entry["description"], `${where}.description`),
    parameters: parametersOf(door, entry["parameters"], where),
    checked: true,
    run: async (args) => remoteAnswer(await door.op("agents.tool", { tool: entry, arguments: args })),
  };
}

interface Completions {
  readonly completions: { create(params: Fields): Promise<{ readonly output: unknown }> };
}

function workflowTool(door: AgentDoor, entry: Fields, where: string): Tool {
  const ref = text(door, entry["ref"], `${where}.ref`);
  if (ref === "") throw invalid(door, `${where}.ref: is required`);
  const { completions } = door.ctx["workflow"] as Completions;
  return {
    name: nameOf(door, entry["name"] ?? ref.replace(/@.*$/, "").replaceAll(/[^A-Za-z0-9_-]/g, "_"), where),
    description: text(door, entry["description"], `${where}.description`) || `Runs the workflow ${ref}.`,
    parameters: parametersOf(door, entry["parameters"], where),
    checked: true,
    run: async (input) => toAnswer((await completions.create({ model: `workflow:${ref}`, input })).output),
  };
}

const SEARCH = {
  type: "object",
  required: ["query"],
  properties: { query: { type: "string", description: "What to look for." } },
};

interface Searching {
  search(store: string, params: Fields): Promise<unknown>;
}

function datastoreTool(door: AgentDoor, entry: Fields, where: string): Tool {
  const store = text(door, entry["datastore"], `${where}.datastore`);
  if (store === "") throw invalid(door, `${where}.datastore: is required`);
  const { type: _type, datastore: _store, name, description, ...params } = entry;
  const datastore = door.ctx["datastore"] as Searching;
  return {
    name: nameOf(door, name ?? `search_${store.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`.slice(0, 64), where),
    description: text(door, description, `${where}.description`) || `Searches the records of ${store}.`,
    parameters: SEARCH,
    checked: true,
    run: async ({ query }) => toAnswer(await datastore.search(store, { top_k: HITS, ...params, query })),
  };
}

/** The tools of an MCP server: asked for once per call of the loop. */
async function mcpTools(
  door: AgentDoor,
  entry: Fields,
): Promise<{ readonly label: string; readonly tools: readonly Tool[] }> {
  const { server, allow } = entry;
  const listed = (await door.op("agents.tools", { server, ...(allow === undefined ? {} : { allow }) })) as {
    readonly label: string;
    readonly tools: readonly ListedTool[];
  };
  const toTool = ({ name, tool, description, parameters }: ListedTool): Tool => ({
    name,
    description,
    parameters,
    checked: false,
    run: async (args) =>
      remoteAnswer(await door.op("agents.tool", { tool: { type: "mcp", server, name: tool }, arguments: args })),
  });
  return { label: listed.label, tools: listed.tools.map(toTool) };
}

async function toolsOf(
  door: AgentDoor,
  entry: unknown,
  i: number,
): Promise<{ readonly label: string | null; readonly tools: readonly Tool[] }> {
  const where = `[${i}]`;
  if (!isFields(entry)) throw invalid(door, `${where}: must be an object, got ${shown(entry)}`);
  const one = (tool: Tool) => ({ label: null, tools: [tool] });
  const { type = "function" } = entry;
  if (type === "function") return one(ownTool(door, entry, where));
  if (type === "http") return one(httpTool(door, entry, where));
  if (type === "workflow") return one(workflowTool(door, entry, where));
  if (type === "datastore") return one(datastoreTool(door, entry, where));
  if (type === "mcp") return mcpTools(door, entry);
  throw invalid(
    door,
    `${where}.type: must be "function", "http", "workflow", "datastore" or "mcp", got ${shown(type)}`,
  );
}

/** Makes the tools that a list describes; throws INVALID_ARGUMENT naming the entry, or what an MCP server failed with. */
export async function createToolset(door: AgentDoor, entries: readonly unknown[]): Promise<Toolset> {
  const { maxTools } = door.limits;
  const sources = await Promise.all(entries.map((entry, i) => toolsOf(door, entry, i)));
  const tools = new Map<string, Tool>();
  for (const { label, tools: found } of sources) {
    for (const tool of found) {
      const taken = tools.has(tool.name);
      const name = taken && label !== null ? `${label}_${tool.name}`.slice(0, 64) : tool.name;
      if (tools.has(name)) throw invalid(door, `: two tools are called ${shown(name)}; give one of them another name`);
      tools.set(name, taken ? { ...tool, name } : tool);
    }
  }
  if (tools.size <= maxTools) return tools;
  const message = `tools: ${tools.size} tools, over ${maxTools} (maxTools); name those of MCP servers that are needed in allow`;
  throw door.error("LIMIT_EXCEEDED", message, { limit: "maxTools", value: tools.size });
}

/** The tools as a model is told of them. */
export function toDefinitions(tools: Toolset): readonly Fields[] {
  return [...tools.values()].map(({ name, description, parameters }) => ({
    type: "function",
    function: { name, description, parameters: parameters ?? { type: "object", properties: {} } },
  }));
}
