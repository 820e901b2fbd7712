import { MIGRATIONS } from "../store/sqlite/migrations.ts";

/** The newest schema of the database that this Weft knows. */
export const SCHEMA_VERSION = MIGRATIONS.length;
