import type { ErrorRecord } from "../../runtime/index.ts";

/** Refusals that pass by themselves. */
const PASSING: ReadonlySet<string> = new Set(["RATE_LIMITED", "OVERLOADED", "STOPPING"]);

/** The Retry-After of an error, in whole seconds: what its details say, else 1 for what passes by itself. */
export function waitHeaders({ code, details }: Pick<ErrorRecord, "code" | "details">): Record<string, string> {
  const told = details["retry_after"];
  if (typeof told === "number") return { "retry-after": String(Math.ceil(told)) };
  return PASSING.has(code) ? { "retry-after": "1" } : {};
}
