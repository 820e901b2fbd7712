import type { Page } from "../rows.ts";

/** An agent under its name. */
export interface Agent {
  /** `agent_<32 hex digits>`. */
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  /** Number of the version that calls get; null before one was activated. */
  readonly activeVersion: number | null;
  /** Number of the newest version. */
  readonly newestVersion: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Immutable content of an agent. */
export interface AgentVersion {
  /** From 1 on. */
  readonly number: number;
  /** JSON text of an AgentDefinition. */
  readonly definition: string;
  readonly notes: string;
  readonly createdAt: number;
}

/** Which agent, of whom. */
interface AgentKey {
  readonly accountId: string;
  readonly agentId: string;
}

/** Agents and their versions. */
export interface AgentStore {
  /**
   * Adds a version to the agent of that name, made when there is none, and makes it the active one if asked; a definition equal to the
   * newest version's adds none. CONFLICT when `expects` says otherwise; RATE_LIMITED when the account has `maxAgents`, or the agent
   * `maxVersions`, already.
   */
  putAgent(params: {
    readonly accountId: string;
    /** Id if it is new. */
    readonly id: string;
    readonly name: string;
    /** JSON text. */
    readonly definition: string;
    readonly notes: string;
    readonly activate: boolean;
    readonly expects: "new" | "any";
    readonly maxAgents: number;
    readonly maxVersions: number;
    readonly now: number;
  }): Promise<{ readonly agent: Agent; readonly version: AgentVersion; readonly created: boolean }>;
  /** By name or by id, within the account. */
  findAgent(params: { readonly accountId: string; readonly key: string }): Promise<Agent | null>;
  /** Newest first. */
  listAgents(params: {
    readonly accountId: string;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Agent>>;
  findAgentVersion(params: AgentKey & { readonly number: number }): Promise<AgentVersion | null>;
  /** Newest first. */
  listAgentVersions(
    params: AgentKey & { readonly limit: number; readonly offset: number },
  ): Promise<Page<AgentVersion>>;
  /** False when the agent or the version is unknown. */
  activateAgentVersion(params: AgentKey & { readonly number: number; readonly now: number }): Promise<boolean>;
  /** Removes the agent and its versions; false when unknown. */
  removeAgent(params: AgentKey): Promise<boolean>;
}
