/** Every number Weft enforces, with its unit in the name. Each is a setting and is named in the error it causes. */
export interface Limits {
  readonly memoryMb: number;
  readonly cpuMs: number;
  readonly turnMs: number;
  readonly timeoutMs: number;
  readonly streamTimeoutMs: number;
  readonly maxBodyBytes: number;
  readonly maxOutputBytes: number;
  readonly maxArgBytes: number;
  readonly maxResultBytes: number;
  readonly maxChunkBytes: number;
  readonly maxChunks: number;
  readonly maxChunkTotalBytes: number;
  readonly maxLogLines: number;
  readonly maxLogLineBytes: number;
  readonly maxConcurrentOps: number;
  readonly maxNesting: number;
  readonly maxScriptBytes: number;
  readonly maxBundleBytes: number;
  readonly maxAccessoryBytes: number;
  readonly maxAccessories: number;
  readonly maxFileBytes: number;
  readonly maxFiles: number;
  readonly maxAccountFileBytes: number;
  readonly maxWaits: number;
  readonly maxEventBytes: number;
  readonly maxKeptEvents: number;
  readonly maxOutputTokens: number;
  readonly toolTimeoutMs: number;
  readonly maxToolAnswerBytes: number;
  readonly maxToolTextBytes: number;
  readonly maxTools: number;
  readonly maxToolCalls: number;
  readonly maxToolListBytes: number;
  readonly datastoreMs: number;
  readonly datastoreMemoryMb: number;
  readonly maxDatastoreRows: number;
  readonly maxDatastoreColumns: number;
  readonly maxRecordBytes: number;
  readonly maxDatastores: number;
  readonly maxImportBytes: number;
  readonly maxOpenImports: number;
  readonly importMs: number;
  readonly importStallMs: number;
  readonly importMemoryMb: number;
  readonly maxRowGroupBytes: number;
  readonly maxDatastoreBytes: number;
}

const MIB = 1024 * 1024;

/** The defaults of design.md. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  memoryMb: 128,
  cpuMs: 10_000,
  turnMs: 1_000,
  timeoutMs: 300_000,
  streamTimeoutMs: 600_000,
  maxBodyBytes: 10 * MIB,
  maxOutputBytes: 5 * MIB,
  maxArgBytes: MIB,
  maxResultBytes: 10 * MIB,
  maxChunkBytes: 256 * 1024,
  maxChunks: 10_000,
  maxChunkTotalBytes: 64 * MIB,
  maxLogLines: 10_000,
  maxLogLineBytes: 16 * 1024,
  maxConcurrentOps: 1_000,
  maxNesting: 8,
  maxScriptBytes: MIB,
  maxBundleBytes: 5 * MIB,
  maxAccessoryBytes: 50 * 1_000_000,
  maxAccessories: 100,
  maxFileBytes: 50 * 1_000_000,
  maxFiles: 100,
  maxAccountFileBytes: 10_000_000_000,
  maxWaits: 500,
  maxEventBytes: 256 * 1024,
  maxKeptEvents: 1_000,
  maxOutputTokens: 16_384,
  toolTimeoutMs: 60_000,
  maxToolAnswerBytes: 4 * MIB,
  maxToolTextBytes: 64 * 1024,
  maxTools: 128,
  maxToolCalls: 128,
  maxToolListBytes: 512 * 1024,
  datastoreMs: 10_000,
  datastoreMemoryMb: 512,
  maxDatastoreRows: 10_000,
  maxDatastoreColumns: 1_000,
  maxRecordBytes: 10 * MIB,
  maxDatastores: 1_000,
  maxImportBytes: 10 * 1024 * MIB,
  maxOpenImports: 20,
  importMs: 3_600_000,
  importStallMs: 60_000,
  importMemoryMb: 1_536,
  maxRowGroupBytes: 512 * MIB,
  maxDatastoreBytes: 16 * 1024 * MIB,
});
