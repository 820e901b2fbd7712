import type { ErrorRecord } from "../../errors.ts";
import type { DeclaredSchema, Format, IngestLimits, IngestOptions, IngestProgress, IngestReport } from "./types.ts";

/** One import, as its process is told: paths and plain data. */
export interface IngestJob {
  readonly source: string;
  readonly format: Format;
  readonly options: IngestOptions;
  readonly declared: DeclaredSchema;
  readonly target: string;
  readonly revision: number;
  readonly limits: IngestLimits;
}

/** From the server to the process. */
export type ToIngest =
  | { readonly type: "start"; readonly job: IngestJob }
  | { readonly type: "embedded"; readonly id: number; readonly vectors: readonly (readonly number[])[] };

/** From the process to the server. */
export type FromIngest =
  | { readonly type: "progress"; readonly progress: IngestProgress }
  | { readonly type: "embed"; readonly id: number; readonly texts: readonly string[] }
  | { readonly type: "done"; readonly report: IngestReport }
  | { readonly type: "failed"; readonly error: ErrorRecord; readonly trace: string };
