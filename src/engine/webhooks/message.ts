import type { Execution, WebhookEvent } from "../../store/store.ts";

/** An execution as receivers see it, without its output; the dialect's run object. */
export type ShowRun = (execution: Execution, version: string | null) => Readonly<Record<string, unknown>>;

/** Larger outputs are left out, bytes as JSON. */
const MAX_OUTPUT_BYTES = 256 * 1024;

/** What an endpoint may be told of. */
export const EVENT_TYPES = [
  "execution.completed",
  "execution.failed",
  "execution.cancelled",
  "execution.waiting",
] as const;

/** Name of an event on the wire. */
export type EventType = (typeof EVENT_TYPES)[number];

/** The name of an event. */
export const toEventType = (status: WebhookEvent["status"]): EventType => `execution.${status}`;

/** The event of a name. */
export const fromEventType = (type: EventType): WebhookEvent["status"] =>
  type.slice("execution.".length) as WebhookEvent["status"];

function outputOf({ state }: Execution): Readonly<Record<string, unknown>> {
  if (state.status !== "completed") return { output: null };
  const text = state.output ?? "null";
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_OUTPUT_BYTES) return { output: JSON.parse(text) };
  return { output: null, output_omitted: true, output_bytes: bytes };
}

/** JSON text of a message: type, time and the run; an output over 256 KiB is left out and marked. */
export function toPayload(event: WebhookEvent, execution: Execution, run: Readonly<Record<string, unknown>>): string {
  const timestamp = new Date(event.at).toISOString();
  return JSON.stringify({ type: toEventType(event.status), timestamp, data: { ...run, ...outputOf(execution) } });
}
