import type { Database } from "./database.ts";

/** Where an execution stands below others. */
export interface Place {
  readonly accountId: string;
  readonly id: string;
  readonly parentId: string | null;
}

const PLACE = "SELECT account_id AS accountId, id, parent_id AS parentId FROM executions WHERE";
const ANY_SINCE = "SELECT 1 AS found FROM shortages_since WHERE root > '' LIMIT 1";
const SINCE = `INSERT INTO shortages_since (root, since) VALUES (?, ?) ON CONFLICT (root) DO UPDATE SET since = since
  RETURNING since`;
const NO_LONGER = "DELETE FROM shortages_since WHERE root = ?";

/** The place of an execution; null when there is none of that number. */
export function placeOf(db: Database, number: number): Place | null {
  return db.get<Place>(`${PLACE} number = ?`, number) ?? null;
}

/** Id of the call from outside that an execution descends from. */
export function rootOf(db: Database, from: Place): string {
  let place = from;
  while (place.parentId !== null) {
    const above = db.get<Place>(`${PLACE} id = ?`, place.parentId);
    if (above === undefined) break;
    place = above;
  }
  return place.id;
}

/** Since when nothing below a call from outside has got any money; from `now` on when that is new. */
export function shortSince(db: Database, root: string, now: number): number {
  return db.get<{ since: number }>(SINCE, root, now)?.since ?? now;
}

/** Something of an execution, or one below the same call from outside, has got money. */
export function endShortage(db: Database, number: number): void {
  if (db.get(ANY_SINCE) === undefined) return;
  const place = placeOf(db, number);
  if (place !== null) db.run(NO_LONGER, rootOf(db, place));
}
