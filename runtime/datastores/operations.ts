import type { Limits } from "../limits.ts";
import type { Filter, QueryParams, RecordInput, RevisionRef, ScanParams, SearchParams } from "./types.ts";

/** One piece of work for a query process, as JSON. */
export type Operation =
  | { readonly op: "get"; readonly ref: RevisionRef; readonly ids: readonly string[] }
  | { readonly op: "count"; readonly ref: RevisionRef; readonly filter: Filter | undefined }
  | { readonly op: "scan"; readonly ref: RevisionRef; readonly params: ScanParams }
  | { readonly op: "search"; readonly ref: RevisionRef; readonly params: SearchParams }
  | { readonly op: "query"; readonly ref: RevisionRef; readonly params: QueryParams }
  | { readonly op: "describe"; readonly ref: RevisionRef }
  | {
      readonly op: "upsert";
      readonly file: string;
      readonly revision: number;
      readonly records: readonly RecordInput[];
    }
  | { readonly op: "remove"; readonly file: string; readonly revision: number; readonly ids: readonly string[] }
  | { readonly op: "copy" | "export"; readonly ref: RevisionRef; readonly target: string };

/**
 * Which processes do it. `query`: users' SQL, by itself; `read`: our own statements; `vector`: those that need sqlite-vec,
 * which Node does not load under its permission model; `change`: changes of records; `copy`: whole files, which may take
 * minutes and so would keep changes waiting. The last two have no time limit.
 */
export type LaneName = "query" | "read" | "vector" | "change" | "copy";

/** Lanes whose work takes as long as it takes. */
export const UNTIMED: ReadonlySet<LaneName> = new Set(["change", "copy"]);

/** The lane of an operation. */
export function laneOf(operation: Operation): LaneName {
  switch (operation.op) {
    case "query":
      return "query";
    case "search":
      return Array.isArray(operation.params?.vector) ? "vector" : "read";
    case "upsert":
    case "remove":
      return "change";
    case "copy":
    case "export":
      return "copy";
    default:
      return "read";
  }
}

/** What query processes enforce. */
export type DatastoreLimits = Pick<
  Limits,
  "datastoreMs" | "datastoreMemoryMb" | "maxDatastoreRows" | "maxRecordBytes" | "maxResultBytes"
>;
