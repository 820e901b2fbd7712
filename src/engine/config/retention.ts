import { parseDuration, readMembers, refuse } from "./value.ts";

/** How long ended executions are kept; null = for ever. */
export interface Retention {
  readonly ageMs: number | null;
  /** The newest ones, those that other workflows called not counted. */
  readonly runs: number | null;
}

/** Parses `config.retention`; throws BUNDLE_FAILED naming the member, the rule and the value. */
export function parseRetention(value: unknown): Retention {
  const { get, path } = readMembers("config.retention", value, ["age", "runs"]);
  const runs = get("runs");
  const isCount = runs === undefined || (typeof runs === "number" && Number.isSafeInteger(runs) && runs >= 0);
  if (!isCount) throw refuse(path("runs"), "a whole number that is not negative", runs);
  const ageMs = get("age") === undefined ? null : parseDuration(path("age"), get("age"));
  return Object.freeze({ ageMs, runs: typeof runs === "number" ? runs : null });
}
