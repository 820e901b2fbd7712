import { AgentStream, wantsStream } from "./agent-stream.ts";
import { parseFormat } from "./answer-format.ts";
import { type LoopListener, type LoopMode, type LoopRequest, runLoop } from "./tool-loop.ts";
import { createToolset } from "./toolset.ts";
import { type AgentDoor, type Fields, isFields, shown } from "./types.ts";

interface LoadedAgent {
  readonly version: number;
  readonly definition: {
    readonly name: string;
    readonly system_prompt: string;
    readonly model: string | null;
    readonly intent: string | null;
    readonly params: Fields;
    readonly tools: readonly unknown[];
    readonly response_format: Fields | null;
    readonly max_iterations: number;
  };
}

const MODES = ["auto", "reasoning", "route", "direct"];
const MAX_ITERATIONS = 100;
const MOST_ITERATIONS = 10_000;
const MAX_REPAIRS = 2;
const MOST_REPAIRS = 10;
/** Parameters of the loop, and of a hosted service; the others are the model's. */
const OWN = new Set([
  ...["agent", "agent_id", "application_id", "task_id", "high_performance", "disable_chaining"],
  ...["execution_mode", "max_iterations", "max_steps", "max_repairs", "messages", "tools", "stream"],
]);

const invalid = (door: AgentDoor, message: string) => door.error("INVALID_ARGUMENT", message);

function fieldsOf(door: AgentDoor, params: unknown, label: string): Fields {
  if (isFields(params)) return params;
  throw invalid(door, `${label}: the argument must be an object, got ${shown(params)}`);
}

function whole(door: AgentDoor, value: unknown, name: string, range: readonly [number, number, number]): number {
  const [min, most, fallback] = range;
  if (value === undefined || value === null) return fallback;
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= most) return value;
  throw invalid(door, `${name}: must be an integer from ${min} to ${most}, got ${shown(value)}`);
}

function modeOf(door: AgentDoor, value: unknown): LoopMode {
  const mode = value ?? "auto";
  if (typeof mode === "string" && MODES.includes(mode)) return mode as LoopMode;
  throw invalid(door, `execution_mode: must be one of ${MODES.join(", ")}, got ${shown(value)}`);
}

function list(door: AgentDoor, value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value as readonly unknown[];
  throw invalid(door, `${name}: must be an array, got ${shown(value)}`);
}

const bodyOf = (params: Fields): Fields =>
  Object.fromEntries(
    Object.entries(params).filter(([name, value]) => !OWN.has(name) && value !== undefined && value !== null),
  );

/** What a call and its defaults together ask of the loop. */
async function toRequest(
  door: AgentDoor,
  params: Fields,
  facts: {
    readonly label: string;
    readonly limit: "max_iterations" | "max_steps";
    readonly messages: readonly unknown[];
  },
): Promise<LoopRequest> {
  const { label, limit, messages } = facts;
  const max = whole(door, params[limit], limit, [1, MOST_ITERATIONS, MAX_ITERATIONS]);
  return {
    label,
    body: bodyOf(params),
    messages,
    mode: modeOf(door, params["execution_mode"]),
    max: { name: limit, value: max },
    maxRepairs: whole(door, params["max_repairs"], "max_repairs", [0, MOST_REPAIRS, MAX_REPAIRS]),
    format: parseFormat(door, params["response_format"]),
    parallel: params["parallel_tool_calls"] !== false,
    tools: await createToolset(door, list(door, params["tools"], "tools")),
  };
}

function agentKey(door: AgentDoor, params: Fields): string {
  const key = params["agent"] ?? params["agent_id"];
  if (typeof key === "string" && key !== "") return key;
  throw invalid(door, `agents: agent must be the name of an agent, got ${shown(key)}`);
}

/** What a call says goes before what the definition says; tools are added. */
function merged({ definition }: LoadedAgent, params: Fields): Fields {
  const { model, intent, response_format: format, max_iterations: max } = definition;
  const route = model === null ? (intent === null ? {} : { intent }) : { model };
  const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined && value !== null));
  const tools = [...definition.tools, ...(Array.isArray(params["tools"]) ? params["tools"] : [])];
  const answer = format === null ? {} : { response_format: format };
  return { ...definition.params, ...answer, max_iterations: max, ...route, ...given, tools };
}

interface Prepared {
  readonly request: LoopRequest;
  /** Added to the completion. */
  readonly facts: Fields;
}

async function prepareAgent(door: AgentDoor, params: Fields): Promise<Prepared> {
  const loaded = (await door.op("agents.load", { agent: agentKey(door, params) })) as LoadedAgent;
  const { name, system_prompt: prompt } = loaded.definition;
  list(door, params["tools"], "tools");
  const said = params["messages"] === undefined ? door.messages : list(door, params["messages"], "messages");
  if (said.length === 0) throw invalid(door, "messages: must not be empty (without them ctx.messages is used)");
  const messages = prompt === "" ? said : [{ role: "system", content: prompt }, ...said];
  const facts = { label: `agent ${JSON.stringify(name)}`, limit: "max_iterations", messages } as const;
  const request = await toRequest(door, merged(loaded, params), facts);
  return { request, facts: { agent: name, agent_version: loaded.version } };
}

async function prepareTools(door: AgentDoor, params: Fields): Promise<Prepared> {
  const messages = params["messages"] === undefined ? door.messages : list(door, params["messages"], "messages");
  const request = await toRequest(door, params, { label: "runTools", limit: "max_steps", messages });
  return { request, facts: {} };
}

async function converse(door: AgentDoor, { request, facts }: Prepared, streams: boolean): Promise<unknown> {
  const begin = async (listener: LoopListener | null) => ({ ...(await runLoop(door, request, listener)), ...facts });
  return streams ? new AgentStream(begin) : begin(null);
}

/** What `ctx` has for agents. */
export interface AgentMembers {
  readonly agents: object;
  /** A member of `ctx.chat.completions`. */
  readonly runTools: (params: unknown) => Promise<unknown>;
}

/** Makes `ctx.agents` and `runTools` of one execution. */
export function createAgentMembers(door: AgentDoor): AgentMembers {
  const create = async (params: unknown) => {
    const fields = fieldsOf(door, params, "agents");
    return converse(door, await prepareAgent(door, fields), wantsStream(fields));
  };
  const run = async (agent: unknown, message: unknown, params: unknown = {}) => {
    const messages = typeof message === "string" ? [{ role: "user", content: message }] : message;
    const { stream: _stream, ...fields } = fieldsOf(door, params, "agents.run");
    const completion = (await create({ ...fields, agent, messages })) as {
      readonly choices: readonly [{ readonly message: { readonly content?: unknown } }];
    };
    return String(completion.choices[0].message.content ?? "");
  };
  return {
    agents: Object.freeze({ completions: Object.freeze({ create }), run }),
    async runTools(params) {
      const fields = fieldsOf(door, params, "runTools");
      return converse(door, await prepareTools(door, fields), wantsStream(fields));
    },
  };
}
