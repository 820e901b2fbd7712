import { call } from "../call.ts";
import { makeOpError } from "../errors.ts";
import { current } from "../execution.ts";
import { NativeError, round, text } from "../primordials.ts";
import { durationMs } from "./sleep.ts";

/** The end of a wait that begins now, ms since the epoch; undefined without a timeout. Throws INVALID_ARGUMENT. */
export function untilOf(op: string, timeout: unknown): number | undefined {
  if (timeout === undefined || timeout === null) return undefined;
  const ms = durationMs(timeout);
  if (ms !== null) return current().now + round(ms);
  const message = `${op}: timeout must be milliseconds or a text such as "10s", "5m", "2h", "3d"; got ${text(timeout)}`;
  throw makeOpError(op, { code: "INVALID_ARGUMENT", message, details: {} }, new NativeError());
}

interface WaitOptions {
  readonly match?: unknown;
  readonly timeout?: unknown;
}

/** ctx.waitFor(name, { match, timeout }): its end is fixed when it is called, so a restart does not lengthen it. */
export async function waitFor(name: unknown, options?: WaitOptions | null): Promise<unknown> {
  const until = untilOf("waitFor", options?.timeout);
  return call("waitFor", { name, match: options?.match, until });
}
