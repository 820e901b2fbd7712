import { type FedItem, TO_HOST } from "../../sandbox/wire.ts";
import type { JournalRecord } from "../execution.ts";
import type { ReplayRecord } from "../journal-record.ts";

/** One delivery into the guest. */
export interface HostDelivery {
  readonly kind: JournalRecord["kind"];
  readonly pos: number;
  /** Guest clock, ms since the epoch. */
  readonly now: number;
  readonly payload: string;
}

/** The frame of one delivery. */
export function deliverFrame(run: number, { kind, pos, now, payload }: HostDelivery): string {
  return `${TO_HOST.deliver}\t${run}\t${pos}\t${kind}\t${now}\t${payload}`;
}

/** The frame of recorded deliveries; one alone travels as it is, however large. */
export function feedFrame(run: number, deliveries: readonly HostDelivery[], isCalm: boolean): string {
  const [only] = deliveries;
  if (only !== undefined && deliveries.length === 1) return deliverFrame(run, only);
  const items: FedItem[] = [];
  for (const { kind, pos, now, payload } of deliveries) items.push(kind, pos, now, payload);
  return `${TO_HOST.feed}\t${run}\t${deliveries.length}\t${isCalm ? 1 : 0}\t${JSON.stringify(items)}`;
}

/** Recorded deliveries as the guest gets them. */
export function toDeliveries(records: readonly ReplayRecord[], reveal: (json: string) => string): HostDelivery[] {
  return records.map(({ kind, pos, at, payload }) => ({ kind, pos, now: at, payload: reveal(payload) }));
}
