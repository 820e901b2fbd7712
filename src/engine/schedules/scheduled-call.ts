import { randomUUID } from "node:crypto";
import type { InvokeRequest } from "../engine.ts";
import type { Schedule } from "../types.ts";

/** When an execution is started by a schedule. */
export interface Slot {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** True when someone asked for it, beside the schedule. */
  readonly manual: boolean;
  /** Key of whoever asked for it; absent = the slot itself is the key. */
  readonly idempotencyKey?: string;
}

/** The text of a slot: unique within its schedule, and ordered by time. */
export function slotText({ at, manual }: Omit<Slot, "idempotencyKey">): string {
  const time = new Date(at).toISOString();
  return manual ? `${time} manual ${randomUUID()}` : time;
}

/** The call that a schedule makes in a slot; its idempotency key is the slot, so that it is made once. */
export function toScheduledCall(schedule: Schedule, slot: Slot): InvokeRequest {
  const { accountId, id, name, workflowId, input } = schedule;
  const about = { id, name, scheduled_at: new Date(slot.at).toISOString(), ...(slot.manual ? { manual: true } : {}) };
  return {
    accountId,
    ref: workflowId,
    version: null,
    input: input === null ? undefined : JSON.parse(input),
    messages: [],
    params: {},
    metadata: { schedule: about },
    secrets: {},
    sessionId: null,
    requestId: randomUUID(),
    mode: "background",
    cache: "no-store",
    timeoutMs: null,
    onDisconnect: null,
    retry: false,
    webhook: null,
    priority: 0,
    runAt: null,
    idempotencyKey: slot.idempotencyKey ?? `schedule:${id}:${slotText(slot)}`,
  };
}
