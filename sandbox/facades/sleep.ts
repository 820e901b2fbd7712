import { callText } from "../call.ts";
import { makeOpError } from "../errors.ts";
import { current } from "../execution.ts";
import { matchOnce, NativeError, round, text, toNumber, trim } from "../primordials.ts";

const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a number or of a text such as "10s", "5m", "2h", "3d". */
export function durationMs(value: unknown): number | null {
  if (typeof value === "number") return value >= 0 && value < Infinity ? value : null;
  const match = typeof value === "string" ? matchOnce(DURATION, trim(value)) : null;
  if (match === null) return null;
  return toNumber(match[1]) * (UNITS[match[2] as string] as number);
}

/** ctx.sleep(duration): the wake-up time is fixed when it is called, so a restart does not lengthen it. */
export async function sleep(duration: unknown): Promise<void> {
  const ms = durationMs(duration);
  if (ms === null) {
    const message = `sleep: duration must be milliseconds or a text such as "10s", "5m", "2h", "3d"; got ${text(duration)}`;
    throw makeOpError("sleep", { code: "INVALID_ARGUMENT", message, details: {} }, new NativeError());
  }
  await callText("sleep", { until: current().now + round(ms) });
}
