export { REJECTION } from "../sandbox/wire.ts";
export { type MappedStack, mapStack, type SourceFrame } from "./bundle/source-map.ts";
export type { Bundle, BundleProblem, ModuleFacts, SourceFile, Upload } from "./bundle-types.ts";
export { createRuntime } from "./create-runtime.ts";
export type { DatastoreRuntime } from "./datastores/datastore-runtime.ts";
export { toDiskError } from "./datastores/disk-full.ts";
export { formatOfName, OPTION_NAMES, parseFormat, parseIngestOptions } from "./datastores/ingest/options.ts";
export type {
  DeclaredSchema,
  Format,
  Ingest,
  IngestLimits,
  IngestOptions,
  IngestProgress,
  IngestReport,
  IngestRequest,
} from "./datastores/ingest/types.ts";
export { FORMATS } from "./datastores/ingest/types.ts";
export type {
  Asking,
  Column,
  DatastoreSchema,
  Json,
  QueryParams,
  RecordInput,
  RevisionRef,
  ScanPage,
  WriteReport,
} from "./datastores/types.ts";
export type { Outbound } from "./egress/outbound.ts";
export { handleText, type SecretHandle } from "./egress/secret-handles.ts";
export type { Blame, Details, ErrorCode, ErrorRecord } from "./errors.ts";
export { CATALOGUE, fail, fromRecord, toRecord, toWorkflowError, WorkflowError } from "./errors.ts";
export type {
  ApprovalQuestion,
  AwaitedCall,
  Chunk,
  CtxData,
  DatastoreAt,
  ExecutionHost,
  ExecutionJob,
  ExecutionOutcome,
  HostProfile,
  Isolation,
  JournalRecord,
  LogLine,
  NestedCall,
  NestedParked,
  NestedResult,
  OpMeter,
  Sleep,
  Usage,
  WaitRequest,
} from "./execution.ts";
export type { AccessoryPart, AccessoryRequest, FileAnswers, FileInfo, FilePart, FileRequest } from "./file-request.ts";
export { collectWhenIdle } from "./idle-collector.ts";
export { type Inspection, runInspected } from "./inspect/run-inspected.ts";
export type { ReplayRecord, SpentUsage } from "./journal-record.ts";
export type { Limits } from "./limits.ts";
export { DEFAULT_LIMITS } from "./limits.ts";
export { type ModelConfig, parseModels } from "./models/config.ts";
export type { Runtime, RuntimeOptions, RuntimeStats } from "./runtime.ts";
export {
  type Cost,
  costOf,
  type Funds,
  MAX_AMOUNT,
  NO_COST,
  type Reservation,
  type Spending,
  type SpendRequest,
} from "./spending.ts";
export { parseMcpServer, parseToolRequest } from "./tools/parse-tool.ts";
export type { AgentDefinition, AgentTool, DatastoreTool, HttpTool, McpTools, WorkflowTool } from "./tools/types.ts";
export { MIN_SECRET_LENGTH, redactSecrets } from "./worker/secrets.ts";
