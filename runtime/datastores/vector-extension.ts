import type { DatabaseSync } from "node:sqlite";
import { load } from "sqlite-vec";

/**
 * Gives a connection, opened with `allowExtension`, the functions of sqlite-vec, and takes the loading of extensions away
 * from it for good. Node refuses this under its permission model, so processes for vectors run without it.
 */
export function loadVectorFunctions(db: DatabaseSync): void {
  try {
    load(db);
  } finally {
    db.enableLoadExtension(false);
  }
}
