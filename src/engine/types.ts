export type { LogLine } from "../../runtime/index.ts";
export type { Account, Execution, ExecutionMode, ExecutionState, Page, Version, Workflow } from "../store/store.ts";
