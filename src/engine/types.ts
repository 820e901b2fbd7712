export type { LogLine } from "../../runtime/index.ts";
export type {
  Account,
  Execution,
  ExecutionMode,
  ExecutionState,
  Page,
  Schedule,
  ScheduleDefinition,
  Version,
  Workflow,
} from "../store/store.ts";
