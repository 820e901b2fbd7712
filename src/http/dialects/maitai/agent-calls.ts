import { fail } from "../../../../runtime/index.ts";
import type { AgentCall, ReadAgent } from "../../../engine/agents/agent-service.ts";
import { MAX_ITERATIONS, parseFormat } from "../../../engine/agents/definition.ts";
import type { InvokeRequest } from "../../../engine/engine.ts";
import type { App, DialectDeps, Request } from "../dialect.ts";
import { answerCall, CALL_ANSWERS } from "./call-answer.ts";
import { INVOKE_SCHEMA, type InvokeBody, toInvokeRequest } from "./invoke-request.ts";

/** The first is documented; the others are for clients whose base URL ends in /v1. */
const BASES = ["/agent", "/agent/v1"];
const PREFIX = "agent:";
const PAGE = 1_000;

/** Body of a call, as its schema has checked it. */
interface AgentCallBody extends Omit<InvokeBody, "model" | "input"> {
  readonly model?: string | null;
  readonly agent?: string | null;
  readonly agent_id?: string | null;
  readonly tools?: unknown;
  readonly response_format?: unknown;
}

const { input: _input, cache: _cache, no_cache: _noCache, model: _model, ...SHARED } = INVOKE_SCHEMA.properties;
const text = (description: string) => ({ type: ["string", "null"], description });
const NO_EFFECT = "Accepted for Maitai's sake, without effect.";
const flag = { type: ["boolean", "null"], description: NO_EFFECT };

/** JSON Schema of the body; every key it does not name is a parameter of the agent's model calls. */
const SCHEMA = {
  type: "object",
  properties: {
    model: text("The agent, `<name>` or `<name>@<version>`, unless `agent` names it."),
    agent: text("The agent; `model` is then only repeated in the answer."),
    agent_id: text("The agent by its id."),
    ...SHARED,
    execution_mode: {
      type: "string",
      enum: ["auto", "reasoning", "route", "direct"],
      description:
        "auto (default): the model calls tools or answers. reasoning: it first writes a plan, without tools. route: it must choose tools, and their results are the answer. direct: it has no tools.",
    },
    max_iterations: {
      type: "integer",
      minimum: 1,
      maximum: MAX_ITERATIONS,
      description: "Calls of the model; default the agent's own (100).",
    },
    max_repairs: {
      type: "integer",
      minimum: 0,
      maximum: 10,
      description: "Further tries for an answer that does not match its schema.",
    },
    application: text("Chooses the model where the agent names none."),
    application_id: text(NO_EFFECT),
    task_id: text(NO_EFFECT),
    high_performance: flag,
    disable_chaining: flag,
  },
} as const;

/** Names of the agent and of what has no meaning here. */
const NOT_PARAMS = ["model", "agent", "agent_id", "application_id", "task_id", "high_performance", "disable_chaining"];

function invalid(code: string, param: string, message: string): Error {
  return fail("INVALID_REQUEST", { message, code, param });
}

function keyOf({ agent, agent_id: id, model }: AgentCallBody): string {
  const key = agent ?? id ?? model ?? "";
  if (key === "") throw invalid("invalid_agent", "agent", "agent: the name of an agent is required, here or as model");
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
}

function checkBody(body: AgentCallBody): void {
  if ((body.messages ?? []).length === 0) throw invalid("missing_input", "messages", "messages: must not be empty");
  parseFormat(body.response_format);
  if ((body.tools ?? null) === null) return;
  const message =
    "tools: an agent's tools belong to its definition (/api/v1/agents); those of the caller cannot be run here";
  throw invalid("invalid_request", "tools", message);
}

function toRequest(request: Request, call: AgentCall, caller: Parameters<typeof toInvokeRequest>[2]): InvokeRequest {
  const body = Object.fromEntries(
    Object.entries(request.body as object).filter(([name, value]) => !NOT_PARAMS.includes(name) && value !== null),
  ) as Omit<InvokeBody, "model">;
  const { version: _version, ...rest } = toInvokeRequest(
    { ...body, model: `workflow:${call.name}` },
    request.headers,
    caller,
  );
  const input = call.number === null ? undefined : { agent_version: call.number };
  return { ...rest, ref: call.ref, version: null, input };
}

function registerCalls(app: App, deps: DialectDeps): void {
  for (const base of BASES) {
    const schema = {
      tags: ["agents"],
      summary: "Let an agent answer",
      description:
        "Its tools are run here; with `stream: true` what they do comes as chunks of type `tool_call` and `tool_result`. Background, Idempotency-Key and metadata work as for workflows; its runs are those of the workflow `agent:<name>`.",
      body: SCHEMA,
      response: CALL_ANSWERS,
      ...(base === BASES[0] ? {} : { hide: true }),
    };
    app.post(`${base}/chat/completions`, { schema }, async (request, reply) => {
      const body = request.body as AgentCallBody;
      const { id: accountId, key: apiKey } = deps.account(request);
      const key = keyOf(body);
      const call = await deps.agents.toCall({ accountId, key });
      checkBody(body);
      const caller = { accountId, key: apiKey.name, requestId: deps.requestId(request) };
      const asked = toRequest(request, call, caller);
      const invocation = await deps.engine.invoke(asked);
      return answerCall(deps, request, reply, { invocation, model: body.model ?? key });
    });
  }
}

const toModel = ({ agent }: ReadAgent) => ({
  id: agent.name,
  object: "model",
  created: Math.floor(agent.createdAt / 1_000),
  owned_by: "weft",
});

async function readAll({ agents }: DialectDeps, accountId: string): Promise<readonly ReadAgent[]> {
  const found: ReadAgent[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const { items, total } = await agents.list({ accountId, limit: PAGE, offset });
    found.push(...items);
    if (offset + PAGE >= total) return found;
  }
}

function registerModels(app: App, deps: DialectDeps): void {
  const params = { type: "object", properties: { id: { type: "string", description: "Name of an agent" } } };
  for (const base of BASES) {
    const shared = { tags: ["agents"], ...(base === BASES[0] ? {} : { hide: true }) };
    app.get(`${base}/models`, { schema: { ...shared, summary: "Agents as models" } }, async (request) => ({
      object: "list",
      data: (await readAll(deps, deps.account(request).id)).map(toModel),
    }));
    const one = { ...shared, summary: "One agent as a model", params };
    app.get(`${base}/models/:id`, { schema: one }, async (request) => {
      const { id: key } = request.params as { readonly id: string };
      return toModel(await deps.agents.find({ accountId: deps.account(request).id, key }));
    });
  }
}

/** Agents as OpenAI models: any OpenAI client with baseURL `<url>/agent`. */
export function registerAgentCalls(app: App, deps: DialectDeps): void {
  registerCalls(app, deps);
  registerModels(app, deps);
}
