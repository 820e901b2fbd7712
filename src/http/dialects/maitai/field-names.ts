import { fromRecord, toRecord, WorkflowError } from "../../../../runtime/index.ts";

/** The engine's names of fields that this API calls otherwise. */
const NAMES: ReadonlyMap<unknown, string> = new Map([
  ["ref", "workflow_ref_name"],
  ["name", "workflow_name"],
  ["application", "application_name"],
  ["inputSchema", "input_schema"],
  ["outputSchema", "output_schema"],
  ["timeout", "timeout_seconds"],
  ["cache.ttl", "cache.ttl_seconds"],
  ["retention.age", "retention.age_seconds"],
  ["catchUp", "catch_up"],
  ["endAt", "end_at"],
]);

function renamed(error: unknown): unknown {
  if (!(error instanceof WorkflowError) || error.code !== "INVALID_REQUEST") return error;
  const record = toRecord(error);
  const own = record.details["param"];
  const param = NAMES.get(own);
  if (param === undefined) return error;
  const prefix = String(own);
  const { message } = record;
  return fromRecord({
    ...record,
    message: message.startsWith(prefix) ? `${param}${message.slice(prefix.length)}` : message,
    details: { ...record.details, param },
  });
}

/** Waits for a change of a definition; an INVALID_REQUEST names the field as this API does. */
export async function inFieldsOfApi<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    throw renamed(error);
  }
}
