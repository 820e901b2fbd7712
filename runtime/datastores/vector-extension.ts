import type { DatabaseSync } from "node:sqlite";
import { load } from "sqlite-vec";
import { fail } from "../errors.ts";

/**
 * Gives a connection, opened with `allowExtension`, the functions of sqlite-vec, and takes the loading of extensions away
 * from it for good. Node refuses this under its permission model, so processes for vectors run without it.
 */
export function loadVectorFunctions(db: DatabaseSync): void {
  try {
    load(db);
  } catch (cause) {
    const message = `datastore: searches by vector are not available on this platform (${process.platform} ${process.arch})`;
    throw fail("CAPABILITY_DENIED", { message }, cause);
  } finally {
    db.enableLoadExtension(false);
  }
}
