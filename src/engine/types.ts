export type { LogLine } from "../../runtime/index.ts";
export type {
  Account,
  Approval,
  Caller,
  Execution,
  ExecutionFilter,
  ExecutionMode,
  ExecutionState,
  ListedExecution,
  OpenWait,
  Page,
  Schedule,
  ScheduleDefinition,
  Version,
  Workflow,
} from "../store/store.ts";
