import type { AgentDefinition } from "../../../runtime/index.ts";
import type { Agent, Page } from "../types.ts";

/** Which agent, of whom: by name or id, with `@<version>` where one version is meant. */
export interface AgentTarget {
  readonly accountId: string;
  readonly key: string;
}

/** One version of an agent, read. */
export interface ReadVersion {
  readonly number: number;
  readonly definition: AgentDefinition;
  readonly notes: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** An agent with the version that was asked for (the active one by default, else the newest). */
export interface ReadAgent {
  readonly agent: Agent;
  readonly version: ReadVersion;
}

/** What a call of an agent starts: the workflow that the engine runs for it. */
export interface AgentCall {
  readonly ref: string;
  readonly name: string;
  /** Version number to use; null = the one that is active when the execution reads it. */
  readonly number: number | null;
}

/** Named, versioned agents. Throws WorkflowError; NOT_FOUND for an unknown agent or version. */
export interface AgentService {
  /** Stores a definition as a new version (none when it equals the newest); INVALID_REQUEST naming the field; CONFLICT when the agent is `new` and exists. */
  put(params: {
    readonly accountId: string;
    readonly definition: unknown;
    readonly notes: string;
    readonly activate: boolean;
    readonly expects: "new" | "any";
  }): Promise<ReadAgent & { readonly created: boolean }>;
  find(target: AgentTarget): Promise<ReadAgent>;
  /** Newest first. */
  list(params: {
    readonly accountId: string;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<ReadAgent>>;
  /** Newest first. */
  versions(
    params: AgentTarget & { readonly limit: number; readonly offset: number },
  ): Promise<Page<ReadVersion> & { readonly agent: Agent }>;
  activate(target: AgentTarget & { readonly number: number }): Promise<ReadAgent>;
  /** Its executions stay. */
  remove(target: AgentTarget): Promise<void>;
  /** What to invoke for a call of an agent; its workflow is made when it is called for the first time. */
  toCall(target: AgentTarget): Promise<AgentCall>;
}
