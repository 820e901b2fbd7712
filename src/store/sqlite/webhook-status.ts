import type { WebhookStatus } from "../store.ts";
import { STATUS } from "./execution-columns.ts";

const NAMES: readonly WebhookStatus[] = ["waiting", "completed", "failed", "cancelled"];

/** The set of events as bits, one per status of executions. */
export const toBits = (events: readonly WebhookStatus[]): number =>
  events.reduce((bits, name) => bits | (1 << STATUS[name]), 0);

/** The events of such bits. */
export const fromBits = (bits: number): readonly WebhookStatus[] => NAMES.filter((name) => bits & (1 << STATUS[name]));

/** The event of a stored status. */
export const toWebhookStatus = (status: number): WebhookStatus =>
  NAMES.find((name) => STATUS[name] === status) ?? "completed";
