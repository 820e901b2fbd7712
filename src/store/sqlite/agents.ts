import { fail } from "../../../runtime/index.ts";
import type { Agent, AgentVersion, Page, Store } from "../store.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";

interface AgentRow {
  readonly number: number;
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly active_version: number | null;
  readonly newest_version: number;
  readonly created_at: number;
  readonly updated_at: number;
}

interface VersionRow {
  readonly number: number;
  readonly definition: string;
  readonly notes: string;
  readonly created_at: number;
}

type Agents = Pick<
  Store,
  | "putAgent"
  | "findAgent"
  | "listAgents"
  | "findAgentVersion"
  | "listAgentVersions"
  | "activateAgentVersion"
  | "removeAgent"
>;
type Put = Parameters<Store["putAgent"]>[0];

const BY_NAME = "SELECT * FROM agents WHERE account_id = ? AND name = ?";
const BY_ID = "SELECT * FROM agents WHERE id = ? AND account_id = ?";
const COUNT = "SELECT count(*) AS n FROM agents WHERE account_id = ?";
const INSERT = `INSERT INTO agents (id, account_id, name, active_version, newest_version, created_at, updated_at)
  VALUES (?, ?, ?, NULL, 0, ?, ?)`;
const ADVANCE =
  "UPDATE agents SET newest_version = ?, active_version = coalesce(?, active_version), updated_at = ? WHERE number = ?";
const ADD_VERSION = "INSERT INTO agent_versions (agent, number, definition, notes, created_at) VALUES (?, ?, ?, ?, ?)";
const VERSION = "SELECT number, definition, notes, created_at FROM agent_versions WHERE agent = ? AND number = ?";
const VERSIONS = `SELECT number, definition, notes, created_at FROM agent_versions WHERE agent = ?
  ORDER BY number DESC LIMIT ? OFFSET ?`;
const COUNT_VERSIONS = "SELECT count(*) AS n FROM agent_versions WHERE agent = ?";
const LIST = "SELECT * FROM agents WHERE account_id = ? ORDER BY number DESC LIMIT ? OFFSET ?";
const ACTIVATE = "UPDATE agents SET active_version = ?, updated_at = ? WHERE number = ?";

const toAgent = (row: AgentRow): Agent => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  activeVersion: row.active_version,
  newestVersion: row.newest_version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const toVersion = ({ number, definition, notes, created_at: createdAt }: VersionRow): AgentVersion => ({
  number,
  definition,
  notes,
  createdAt,
});

const countOf = (db: Database, sql: string, value: string | number): number =>
  db.get<{ n: number }>(sql, value)?.n ?? 0;

function tooMany(what: string, limit: string, max: number): Error {
  const message = `${what} at most ${max} are possible (${limit}). Delete some first.`;
  return fail("RATE_LIMITED", { message, limit, value: max });
}

/** The row of the agent that a put is about, made when there is none. */
function rowFor(db: Database, { accountId, id, name, expects, maxAgents, now }: Put): AgentRow {
  const known = db.get<AgentRow>(BY_NAME, accountId, name);
  if (known !== undefined && expects === "new") {
    const message = `name: there is an agent named ${JSON.stringify(name)} already`;
    throw fail("CONFLICT", { message, param: "name" });
  }
  if (known !== undefined) return known;
  if (countOf(db, COUNT, accountId) >= maxAgents) {
    throw tooMany(`The account has ${maxAgents} agents;`, "MAX_AGENTS", maxAgents);
  }
  db.run(INSERT, id, accountId, name, now, now);
  return db.get<AgentRow>(BY_ID, id, accountId) as AgentRow;
}

function put(db: Database, params: Put): Awaited<ReturnType<Store["putAgent"]>> {
  const { accountId, definition, notes, activate, maxVersions, now } = params;
  const row = rowFor(db, params);
  const newest = db.get<VersionRow>(VERSION, row.number, row.newest_version);
  const isNew = newest?.definition !== definition;
  if (isNew && countOf(db, COUNT_VERSIONS, row.number) >= maxVersions) {
    throw tooMany(`The agent has ${maxVersions} versions;`, "MAX_AGENT_VERSIONS", maxVersions);
  }
  const number = isNew ? row.newest_version + 1 : row.newest_version;
  if (isNew) db.run(ADD_VERSION, row.number, number, definition, notes, now);
  db.run(ADVANCE, number, activate ? number : null, now, row.number);
  const version = db.get<VersionRow>(VERSION, row.number, number) as VersionRow;
  const agent = toAgent(db.get<AgentRow>(BY_ID, row.id, accountId) as AgentRow);
  return { agent, version: toVersion(version), created: isNew };
}

/** Agents and their versions. */
export function createAgents(db: Database, writer: Writer): Agents {
  const rowOf = (accountId: string, agentId: string) => db.get<AgentRow>(BY_ID, agentId, accountId);
  return {
    putAgent: (params) => writer.write(() => put(db, params)),
    async findAgent({ accountId, key }) {
      const row = db.get<AgentRow>(BY_NAME, accountId, key) ?? rowOf(accountId, key);
      return row === undefined ? null : toAgent(row);
    },
    async listAgents({ accountId, limit, offset }): Promise<Page<Agent>> {
      const items = db.all<AgentRow>(LIST, accountId, limit, offset).map(toAgent);
      return { items, total: countOf(db, COUNT, accountId) };
    },
    async findAgentVersion({ accountId, agentId, number }) {
      const agent = rowOf(accountId, agentId);
      const row = agent === undefined ? undefined : db.get<VersionRow>(VERSION, agent.number, number);
      return row === undefined ? null : toVersion(row);
    },
    async listAgentVersions({ accountId, agentId, limit, offset }): Promise<Page<AgentVersion>> {
      const agent = rowOf(accountId, agentId);
      if (agent === undefined) return { items: [], total: 0 };
      const items = db.all<VersionRow>(VERSIONS, agent.number, limit, offset).map(toVersion);
      return { items, total: countOf(db, COUNT_VERSIONS, agent.number) };
    },
    activateAgentVersion: ({ accountId, agentId, number, now }) =>
      writer.write(() => {
        const agent = rowOf(accountId, agentId);
        if (agent === undefined || db.get(VERSION, agent.number, number) === undefined) return false;
        db.run(ACTIVATE, number, now, agent.number);
        return true;
      }),
    removeAgent: ({ accountId, agentId }) =>
      writer.write(() => {
        const agent = rowOf(accountId, agentId);
        if (agent === undefined) return false;
        db.run("DELETE FROM agent_versions WHERE agent = ?", agent.number);
        db.run("DELETE FROM agents WHERE number = ?", agent.number);
        return true;
      }),
  };
}
