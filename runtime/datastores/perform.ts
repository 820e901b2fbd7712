import { removeRecords, upsertRecords } from "./changes.ts";
import { copyRevision } from "./copy.ts";
import { exportRevision } from "./export.ts";
import { openReaders, type Readers } from "./open-readers.ts";
import type { DatastoreLimits, LaneName, Operation } from "./operations.ts";
import { runQuery } from "./sql-query.ts";

/** Does the operations of one lane, one at a time; the result is a JSON text. Throws WorkflowError. */
export type Perform = (operation: Operation) => string;

/** Files that a process keeps open. */
const MAX_OPEN = 8;

/** What a query process of a lane does. */
export async function createPerform(lane: LaneName, limits: DatastoreLimits): Promise<Perform> {
  // Only here: under the permission model not even the package can be loaded.
  const vectors = lane === "vector" ? (await import("./vector-extension.ts")).loadVectorFunctions : null;
  const readers = openReaders({ limits, vectors }, MAX_OPEN);
  return (operation) => perform(operation, readers, limits);
}

function perform(operation: Operation, readers: Readers, limits: DatastoreLimits): string {
  switch (operation.op) {
    case "query":
      return runQuery(operation.ref, operation.params, limits);
    case "upsert":
      return JSON.stringify(upsertRecords(operation, operation.records, limits));
    case "remove":
      return JSON.stringify(removeRecords(operation, operation.ids));
    case "copy":
      return JSON.stringify(copyRevision(operation.ref, operation.target, limits));
    case "export":
      return JSON.stringify(exportRevision(operation.ref, operation.target));
    default:
      return read(operation, readers);
  }
}

function read(
  operation: Extract<Operation, { op: "get" | "count" | "scan" | "search" | "describe" }>,
  readers: Readers,
) {
  const { file, revision } = operation.ref;
  const reader = readers.of(file);
  switch (operation.op) {
    case "get":
      return `[${reader.get(revision, operation.ids).map(String).join(",")}]`;
    case "count":
      return String(reader.count(revision, operation.filter));
    case "scan":
      return reader.scan(revision, operation.params);
    case "search":
      return reader.search(revision, operation.params);
    case "describe":
      return JSON.stringify(reader.describe(revision));
  }
}
