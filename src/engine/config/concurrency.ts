import { type KeyPath, parseKeyPath } from "./key-path.ts";
import { parseWhole, readMembers } from "./value.ts";

/** How many executions of a workflow run at the same time, per key. */
export interface Concurrency {
  readonly limit: number;
  readonly key: KeyPath;
}

const MAX_LIMIT = 1_000_000;

/** Parses `config.concurrency`; null when the script says nothing. */
export function parseConcurrency(at: string, value: unknown): Concurrency | null {
  if (value === undefined) return null;
  const { get, path } = readMembers(at, value, ["limit", "key"]);
  const limit = parseWhole(path("limit"), get("limit"), 1, MAX_LIMIT);
  return Object.freeze({ limit, key: parseKeyPath(path("key"), get("key")) });
}
