import { fail } from "../../runtime/index.ts";
import type { Caller, TrafficLimits } from "../engine/types.ts";
import { MinuteRates } from "./minute-rates.ts";

/** Seconds that a caller with too many open requests is told to wait. */
const RETRY_AFTER_S = 1;

/** Bounds requests of keys and accounts, for those that have limits. */
export interface Traffic {
  /** Counts a request in; RATE_LIMITED naming the limit. Returns what counts it out, null when nothing was counted. */
  enter(caller: Caller): (() => void) | null;
}

interface Bounded {
  /** `key "ci"`, for people. */
  readonly who: string;
  readonly id: string;
  readonly limits: TrafficLimits;
}

function boundsOf({ id, name, owner, limits, key }: Caller, usual: TrafficLimits): readonly Bounded[] {
  const own: TrafficLimits = {
    requestsPerMinute: limits.requestsPerMinute ?? (owner ? null : usual.requestsPerMinute),
    concurrency: limits.concurrency ?? (owner ? null : usual.concurrency),
  };
  return [
    { who: `The API key ${JSON.stringify(key.name)}`, id: key.id, limits: key.limits },
    { who: `The account ${JSON.stringify(name)}`, id, limits: own },
  ];
}

const full = ({ who, limits: { concurrency } }: Bounded) =>
  fail("RATE_LIMITED", {
    message: `${who} has ${concurrency} requests open, as many as it may (concurrency ${concurrency}).`,
    ...{ limit: "concurrency", value: concurrency, retry_after: RETRY_AFTER_S },
  });

const tooFast = ({ who, limits: { requestsPerMinute } }: Bounded, waitMs: number) =>
  fail("RATE_LIMITED", {
    message: `${who} may make ${requestsPerMinute} requests a minute (requests_per_minute ${requestsPerMinute}).`,
    ...{ limit: "requests_per_minute", value: requestsPerMinute, retry_after: waitMs / 1_000 },
  });

const isNone = ({ requestsPerMinute, concurrency }: TrafficLimits) =>
  requestsPerMinute === null && concurrency === null;

/** Makes it; `usual` is for accounts without limits of their own; the owner's account has none. */
export function createTraffic(usual: TrafficLimits, now: () => number): Traffic {
  const rates = new MinuteRates(now);
  const open = new Map<string, number>();
  const isFree = ({ limits, key, owner }: Caller) => isNone(key.limits) && isNone(limits) && (owner || isNone(usual));
  const isFull = ({ id, limits: { concurrency } }: Bounded) =>
    concurrency !== null && (open.get(id) ?? 0) >= concurrency;
  const leave = (id: string) => {
    const left = (open.get(id) ?? 0) - 1;
    if (left > 0) open.set(id, left);
    else open.delete(id);
  };
  return {
    enter(caller) {
      if (isFree(caller)) return null;
      const bounds = boundsOf(caller, usual);
      const crowded = bounds.find(isFull);
      if (crowded !== undefined) throw full(crowded);
      for (const bound of bounds) {
        const { requestsPerMinute } = bound.limits;
        const waitMs = requestsPerMinute === null ? 0 : rates.take(bound.id, requestsPerMinute);
        if (waitMs > 0) throw tooFast(bound, waitMs);
      }
      const counted = bounds.filter(({ limits }) => limits.concurrency !== null).map(({ id }) => id);
      for (const id of counted) open.set(id, (open.get(id) ?? 0) + 1);
      return () => counted.forEach(leave);
    },
  };
}
