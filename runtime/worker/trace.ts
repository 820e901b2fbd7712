import { isCredential } from "../egress/headers.ts";
import type { OpMeter } from "../execution.ts";

const HIDDEN = "[hidden]";

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function hideValues(record: unknown, of: (name: string) => boolean): unknown {
  if (!isRecord(record)) return record;
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(name) ? HIDDEN : value]));
}

/** Members within which tools of agents keep headers. */
const WITH_HEADERS: ReadonlySet<string> = new Set(["tool", "request", "server"]);

function hideHeaders(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => {
      if (name === "headers") return [name, hideValues(value, isCredential)];
      return [name, WITH_HEADERS.has(name) && isRecord(value) ? hideHeaders(value) : value];
    }),
  );
}

/** The arguments of an op as its trace keeps them: without credential headers and without secrets handed on. */
export function traceArguments(args: string): string {
  if (!args.includes('"headers"') && !args.includes('"secrets"')) return args;
  const parsed = JSON.parse(args) as unknown;
  if (!isRecord(parsed)) return args;
  const { secrets, ...rest } = parsed;
  return JSON.stringify({
    ...hideHeaders(rest),
    ...(secrets === undefined ? {} : { secrets: hideValues(secrets, () => true) }),
  });
}

/** What the trace keeps of ops without an effect outside. */
export const UNMETERED = Object.freeze({ args: null, meter: null });

/** What an op cost, for the node of a graph that it was made for. */
export function withNode(meter: OpMeter | null, node: string): OpMeter | null {
  return meter === null ? null : { ...meter, node };
}
