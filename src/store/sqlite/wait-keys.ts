import type { Database } from "./database.ts";
import { valueAt } from "./matching.ts";

/**
 * One path of a wait's match and the plain value it wants there, as indexed columns: an event then finds the few waits
 * that it may fulfil among very many of its name. Both empty: the wait is looked at for every event of the name.
 */
export const WAIT_KEYS_SCHEMA = `
ALTER TABLE waits ADD COLUMN path TEXT NOT NULL DEFAULT '';
ALTER TABLE waits ADD COLUMN value TEXT NOT NULL DEFAULT '';
DROP INDEX waits_by_name;
CREATE INDEX waits_by_value ON waits (account_id, name, path, value, number) WHERE state = 0 AND kind = 0;
`;

/** A path and the JSON text of a value. */
export interface WaitKeyColumns {
  readonly path: string;
  readonly value: string;
}

/** Paths that waits of one name are found by; further ones are looked at for every event. */
const MAX_PATHS = 20;
const NEXT_PATH = `SELECT path FROM waits INDEXED BY waits_by_value
  WHERE account_id = ? AND name = ? AND path > ? AND state = 0 AND kind = 0 ORDER BY path LIMIT 1`;
const ANY: WaitKeyColumns = { path: "", value: "" };

const isPlain = (value: unknown): boolean => value !== undefined && (typeof value !== "object" || value === null);

/** The paths that open waits of a name are found by. */
function pathsOf(db: Database, accountId: string, name: string): readonly string[] {
  const paths: string[] = [];
  let next = db.get<{ path: string }>(NEXT_PATH, accountId, name, "");
  while (next !== undefined) {
    paths.push(next.path);
    next = db.get<{ path: string }>(NEXT_PATH, accountId, name, next.path);
  }
  return paths;
}

/** What a new wait is found by. */
export function keyOfWait(
  db: Database,
  accountId: string,
  wait: { readonly name: string; readonly match: Readonly<Record<string, unknown>> | null },
): WaitKeyColumns {
  const plain = Object.entries(wait.match ?? {}).filter(([, value]) => isPlain(value));
  if (plain.length === 0) return ANY;
  const known = pathsOf(db, accountId, wait.name);
  const [path, value] = plain.find(([one]) => known.includes(one) || known.length < MAX_PATHS) ?? [];
  return path === undefined ? ANY : { path, value: JSON.stringify(value) };
}

/** What the waits that an event may fulfil are found by. */
export function keysOfEvent(db: Database, accountId: string, name: string, data: unknown): readonly WaitKeyColumns[] {
  const paths = pathsOf(db, accountId, name);
  const found = paths.map((path) => ({ path, value: valueAt(data, path) })).filter(({ value }) => isPlain(value));
  return [ANY, ...found.map(({ path, value }) => ({ path, value: JSON.stringify(value) }))];
}
