import type { Dialect } from "../dialect.ts";
import { registerAccounts } from "./accounts.ts";
import { registerAgentCalls } from "./agent-calls.ts";
import { registerAgents } from "./agents.ts";
import { registerApprovals } from "./approvals.ts";
import { registerAudit } from "./audit.ts";
import { registerBackups } from "./backups.ts";
import { registerBudgets } from "./budgets.ts";
import { registerDatastores } from "./datastores.ts";
import { ERROR_SCHEMA, toError } from "./errors.ts";
import { registerEvents } from "./events.ts";
import { registerFiles } from "./files.ts";
import { registerFork } from "./fork.ts";
import { registerInvoke } from "./invoke.ts";
import { registerKeys } from "./keys.ts";
import { registerManagement } from "./management.ts";
import { registerModels } from "./models.ts";
import { registerReplays } from "./replays.ts";
import { registerRuns } from "./runs.ts";
import { registerSchedules } from "./schedules.ts";
import { registerSecrets } from "./secrets.ts";
import { registerDeliveries } from "./webhook-deliveries.ts";
import { registerWebhooks } from "./webhooks.ts";

/** Script workflows, compatible with Maitai and with OpenAI clients. */
export const maitai: Dialect = {
  name: "maitai",
  prefixes: ["/workflow/", "/agent/", "/v1/chat/", "/v1/models", "/api/v1/"],
  toError,
  errorSchema: ERROR_SCHEMA,
  register(app, deps) {
    registerInvoke(app, deps);
    registerModels(app, deps);
    registerRuns(app, deps);
    registerBudgets(app, deps);
    registerReplays(app, deps);
    registerFork(app, deps);
    registerManagement(app, deps);
    registerDatastores(app, deps);
    registerSchedules(app, deps);
    registerWebhooks(app, deps);
    registerDeliveries(app, deps);
    registerEvents(app, deps);
    registerApprovals(app, deps);
    registerFiles(app, deps);
    registerAgents(app, deps);
    registerAgentCalls(app, deps);
    registerKeys(app, deps);
    registerAccounts(app, deps);
    registerAudit(app, deps);
    registerBackups(app, deps);
    registerSecrets(app, deps);
  },
};
