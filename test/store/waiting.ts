import type { Lease, NewEvent, Sending, WaitStatus } from "../../src/store/store.ts";
import { NO_OUTPUT, T0, USAGE, type World } from "./fixtures.ts";

/** Opens a wait for an event at position `pos`. */
export function waitFor(
  { store }: World,
  lease: Lease,
  pos: number,
  more: { name?: string; match?: Record<string, unknown> | null; until?: number; now?: number } = {},
): Promise<WaitStatus> {
  const { name = "paid", match = null, until = null, now = T0 } = more;
  return store.openWait({ lease, wait: { kind: "event", pos, name, match, until }, maxOpen: 5, now });
}

/** Sends an event to the account, or to one execution. */
export function send(
  { store, account }: World,
  data: unknown,
  more: Partial<NewEvent> & { idUntil?: number | null; max?: number } = {},
): Promise<Sending> {
  const { idUntil = null, max = 100, ...event } = more;
  const base = { accountId: account.id, name: "paid", id: "evt", executionId: null, at: T0 };
  const keepUntil = more.executionId === undefined || more.executionId === null ? T0 : null;
  return store.sendEvent({
    event: { ...base, keepUntil, ...event, data: JSON.stringify(data) },
    idUntil,
    max,
    maxKept: 3,
  });
}

/** Parks an execution without a time. */
export function park({ store }: World, lease: Lease): Promise<"parked" | "ready" | "lost"> {
  return store.waitExecution({
    lease,
    until: null,
    sleeps: [],
    calls: null,
    shortage: null,
    usage: USAGE,
    ...NO_OUTPUT,
  });
}

/** The data of an answered wait. */
export function dataOf(status: WaitStatus): unknown {
  return status.status === "answered" ? (JSON.parse(status.answer) as { data: unknown }).data : status.status;
}
