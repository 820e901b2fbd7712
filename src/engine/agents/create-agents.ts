import { randomUUID } from "node:crypto";
import { type AgentDefinition, fail } from "../../../runtime/index.ts";
import type { Agent, AgentVersion, Store } from "../../store/store.ts";
import type { Deploy } from "../deploy.ts";
import type { AgentService, AgentTarget, ReadAgent, ReadVersion } from "./agent-service.ts";
import { createAgentWorkflows } from "./agent-workflows.ts";
import { parseDefinition } from "./definition.ts";
import { findAgentVersion, parseAgentKey } from "./load-agent.ts";

/** Agents of an account. */
const MAX_AGENTS = 10_000;
/** Versions of an agent. */
const MAX_VERSIONS = 1_000;

/** What the service of agents stands on. */
export interface AgentOptions {
  readonly store: Store;
  /** Stores a version of a workflow, also under a ref that no user may choose. */
  readonly deploy: Deploy;
}

const readVersion = ({ definition, ...rest }: AgentVersion): ReadVersion => ({
  ...rest,
  definition: JSON.parse(definition) as AgentDefinition,
});

function unknownAgent(key: string): Error {
  const message = `Agent not found: ${key.slice(0, 100)}`;
  return fail("NOT_FOUND", { message, code: "agent_not_found", param: "agent" });
}

function unknownVersion({ name }: Agent, number: number | null): Error {
  const message = `Agent ${name} has no version ${number ?? "that is active"}`;
  return fail("NOT_FOUND", { message, code: "version_not_found", param: "agent" });
}

async function agentOf({ accountId, key }: AgentTarget, store: Store): Promise<Agent> {
  const agent = await store.findAgent({ accountId, key: parseAgentKey(key).key });
  if (agent === null) throw unknownAgent(key);
  return agent;
}

async function readAgent(target: AgentTarget, store: Store): Promise<ReadAgent> {
  const found = await findAgentVersion(target, store);
  if (found === null) throw unknownAgent(target.key);
  const { agent } = found;
  const { number } = parseAgentKey(target.key);
  if (number !== null && found.version === null) throw unknownVersion(agent, number);
  const newest = { accountId: agent.accountId, agentId: agent.id, number: agent.newestVersion };
  const version = found.version ?? (await store.findAgentVersion(newest));
  if (version === null) throw unknownAgent(target.key);
  return { agent, version: readVersion(version) };
}

/** Makes the service of agents. */
export function createAgents({ store, deploy }: AgentOptions): AgentService {
  const prepare = createAgentWorkflows(store, deploy);

  return {
    async put({ accountId, definition: raw, ...rest }) {
      const definition = parseDefinition(raw);
      const { agent, version, created } = await store.putAgent({
        ...rest,
        accountId,
        id: `agent_${randomUUID().replaceAll("-", "")}`,
        name: definition.name,
        definition: JSON.stringify(definition),
        maxAgents: MAX_AGENTS,
        maxVersions: MAX_VERSIONS,
        now: Date.now(),
      });
      return { agent, version: readVersion(version), created };
    },
    find: (target) => readAgent(target, store),
    async list(params) {
      const { items, total } = await store.listAgents(params);
      const { accountId } = params;
      const read = await Promise.all(
        items.map(({ id: key }) => readAgent({ accountId, key }, store).catch(() => null)),
      );
      return { items: read.filter((one) => one !== null), total };
    },
    async versions({ limit, offset, ...target }) {
      const agent = await agentOf(target, store);
      const page = { accountId: agent.accountId, agentId: agent.id, limit, offset };
      const { items, total } = await store.listAgentVersions(page);
      return { agent, items: items.map(readVersion), total };
    },
    async activate({ number, ...target }) {
      const agent = await agentOf(target, store);
      const { accountId, id: agentId } = agent;
      const known = await store.activateAgentVersion({ accountId, agentId, number, now: Date.now() });
      if (!known) throw unknownVersion(agent, number);
      return readAgent({ accountId, key: agentId }, store);
    },
    async remove(target) {
      const { accountId, id: agentId } = await agentOf(target, store);
      if (!(await store.removeAgent({ accountId, agentId }))) throw unknownAgent(target.key);
    },
    async toCall(target) {
      const found = await findAgentVersion(target, store);
      if (found === null) throw unknownAgent(target.key);
      const { number } = parseAgentKey(target.key);
      if (found.version === null) throw unknownVersion(found.agent, number);
      const { accountId, name } = found.agent;
      const { definition } = readVersion(found.version);
      return { ref: await prepare(accountId, definition), name, number };
    },
  };
}
