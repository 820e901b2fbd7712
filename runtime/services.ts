import type { DatastoreAccess } from "./datastores/access.ts";
import type { EgressClient } from "./egress/client.ts";
import type { ModelClient } from "./models/client.ts";
import type { McpSessions } from "./tools/mcp/sessions.ts";

/** The worker's long-lived collaborators, shared by all executions it runs. */
export interface Services {
  readonly egress: EgressClient;
  readonly models: ModelClient;
  readonly mcp: McpSessions;
  readonly datastores: DatastoreAccess;
}
