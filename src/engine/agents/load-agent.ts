import type { AgentDefinition, AgentTool, WorkflowTool } from "../../../runtime/index.ts";
import { fail } from "../../../runtime/index.ts";
import type { Agent, AgentVersion, Store } from "../../store/store.ts";
import { toJsonSchema } from "../schema.ts";
import type { AgentTarget } from "./agent-service.ts";

/** An agent's name or id, and the version that is meant; null = the active one. */
export interface AgentKey {
  readonly key: string;
  readonly number: number | null;
}

/** Reads `<name>` or `<name>@<version>`. */
export function parseAgentKey(text: string): AgentKey {
  const [, key = text, number = null] = /^(.*)@([1-9]\d{0,8})$/.exec(text) ?? [];
  return { key, number: number === null ? null : Number(number) };
}

/** The row of an agent and of one version; null when there is none. */
export async function findAgentVersion(
  { accountId, key: text }: AgentTarget,
  store: Store,
): Promise<{ readonly agent: Agent; readonly version: AgentVersion | null } | null> {
  const { key, number } = parseAgentKey(text);
  const agent = await store.findAgent({ accountId, key });
  if (agent === null) return null;
  const wanted = number ?? agent.activeVersion;
  const version =
    wanted === null ? null : await store.findAgentVersion({ accountId, agentId: agent.id, number: wanted });
  return { agent, version };
}

/** What a workflow says of itself goes where its tool says nothing. */
async function completed(tool: WorkflowTool, accountId: string, store: Store): Promise<WorkflowTool> {
  if (tool.description !== undefined && tool.parameters !== undefined) return tool;
  const workflow = await store.findWorkflow({ accountId, key: tool.ref.replace(/@.*$/, "") });
  if (workflow === null) return tool;
  const { activeVersionId: versionId, description } = workflow;
  const version = versionId === null ? null : await store.findVersion({ accountId, versionId });
  const schema = toJsonSchema(version?.facts.inputSchema ?? workflow.inputSchema);
  const isObject = typeof schema === "object" && schema !== null && schema["type"] === "object";
  return {
    ...(description === "" ? {} : { description }),
    ...(isObject ? { parameters: schema } : {}),
    ...tool,
  };
}

/** JSON text of the version of an agent that an execution of the account asks for, for the op `agents.load`; INVALID_ARGUMENT when there is none. */
export async function loadAgent(target: AgentTarget, store: Store): Promise<string> {
  const { accountId, key } = target;
  const found = await findAgentVersion(target, store);
  if (found?.version === undefined || found.version === null) {
    const what =
      found === null ? `no agent ${JSON.stringify(key)}` : `no such version of the agent: ${JSON.stringify(key)}`;
    throw fail("INVALID_ARGUMENT", { message: `agents: there is ${what}; PUT /api/v1/agents/<name> makes one` });
  }
  const definition = JSON.parse(found.version.definition) as AgentDefinition;
  const complete = (tool: AgentTool) => (tool.type === "workflow" ? completed(tool, accountId, store) : tool);
  const tools = await Promise.all(definition.tools.map(complete));
  return JSON.stringify({ version: found.version.number, definition: { ...definition, tools } });
}
