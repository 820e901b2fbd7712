import type { AccountService } from "./accounts/account-service.ts";
import type { AgentService } from "./agents/agent-service.ts";
import type { AuditLog } from "./audit/audit-log.ts";
import type { BackupHolds } from "./backups/backup-holds.ts";
import type { BudgetService } from "./budgets/budget-service.ts";
import type { DatastoreService } from "./datastores/datastore-service.ts";
import type { Engine } from "./engine.ts";
import type { FileService } from "./files/file-service.ts";
import type { GraphService } from "./graphs/graph-service.ts";
import type { Replays } from "./replays.ts";
import type { ScheduleService } from "./schedules/schedule-service.ts";
import type { SecretService } from "./secrets/secret-service.ts";
import type { WaitingService } from "./waiting.ts";
import type { WebhookService } from "./webhooks/webhook-service.ts";
import type { WorkflowService } from "./workflows.ts";

/** Everything that dialects and the command line may ask of a server; a further service is one more member. */
export interface Services {
  readonly engine: Engine;
  readonly workflows: WorkflowService;
  readonly schedules: ScheduleService;
  readonly replays: Replays;
  readonly waiting: WaitingService;
  readonly budgets: BudgetService;
  readonly webhooks: WebhookService;
  readonly files: FileService;
  readonly agents: AgentService;
  readonly datastores: DatastoreService;
  readonly graphs: GraphService;
  readonly accounts: AccountService;
  readonly audit: AuditLog;
  readonly secrets: SecretService;
  readonly backups: BackupHolds;
}
