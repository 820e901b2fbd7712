export type { LogLine } from "../../runtime/index.ts";
export type {
  Account,
  Execution,
  ExecutionFilter,
  ExecutionMode,
  ExecutionState,
  ListedExecution,
  Page,
  Schedule,
  ScheduleDefinition,
  Version,
  Workflow,
} from "../store/store.ts";
