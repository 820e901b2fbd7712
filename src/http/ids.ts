import { randomUUID } from "node:crypto";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const EXEC = /^exec_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;
const REQUEST_ID = /^[\w.:/=+-]{1,128}$/;

/** The UUID of an execution written as a UUID or as `exec_<32 hex digits>`; null for anything else. */
export function parseExecutionId(text: string): string | null {
  const lower = text.toLowerCase();
  if (UUID.test(lower)) return lower;
  const match = EXEC.exec(lower);
  return match === null ? null : match.slice(1).join("-");
}

/** `exec_<32 hex digits>` of an execution's UUID. */
export function toExecId(uuid: string): string {
  return `exec_${uuid.replaceAll("-", "")}`;
}

/** `wf_<32 hex digits>` of a workflow's UUID. */
export function toWorkflowId(uuid: string): string {
  return `wf_${uuid.replaceAll("-", "")}`;
}

/** A time (ms since the epoch) as ISO 8601 in UTC; null for none. */
export function toIso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** The caller's own request id when it is a harmless token, else a new one. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === "string" && REQUEST_ID.test(header) ? header : randomUUID();
}
