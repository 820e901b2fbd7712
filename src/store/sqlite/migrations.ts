import { fail } from "../../../runtime/index.ts";
import { COMPACT_JOURNAL } from "./compact-journal.ts";
import type { Database } from "./database.ts";
import { DROPPED_USAGE } from "./dropped-usage.ts";
import { FORKS, FORKS_ASKED } from "./forks.ts";
import { KEYS_BY_AGE } from "./keys-by-age.ts";
import { COUNTED_BY_HAND } from "./migration-counts.ts";
import { LISTS } from "./migration-lists.ts";
import { PARKING } from "./migration-parking.ts";
import { RETENTION } from "./migration-retention.ts";
import { JOURNAL_NODES } from "./node-usage.ts";
import { RESULTS_OF } from "./results.ts";
import { SCHEMA_1 } from "./schema.ts";
import { SCHEMA_ACCESSORIES } from "./schema-accessories.ts";
import { SCHEMA_AGENTS } from "./schema-agents.ts";
import { SCHEMA_AUDIT } from "./schema-audit.ts";
import { SCHEMA_BUDGETS } from "./schema-budgets.ts";
import { SCHEMA_DATASTORES } from "./schema-datastores.ts";
import { SCHEMA_FILES } from "./schema-files.ts";
import { SCHEMA_GRAPHS } from "./schema-graphs.ts";
import { IMPORT_PAYER } from "./schema-import-payer.ts";
import { IMPORT_USAGE } from "./schema-import-usage.ts";
import { SCHEMA_JOBS } from "./schema-jobs.ts";
import { SCHEMA_KEYS } from "./schema-keys.ts";
import { SCHEMA_SCHEDULES } from "./schema-schedules.ts";
import { SCHEMA_SECRETS, SECRET_HOSTS } from "./schema-secrets.ts";
import { SCHEMA_WAKINGS } from "./schema-wakings.ts";
import { SCHEMA_WEBHOOKS } from "./schema-webhooks.ts";
import { WAIT_KEYS_SCHEMA } from "./wait-keys.ts";
import { AWAITED, WAITS_SCHEMA } from "./waits-schema.ts";
import { WORKFLOW_SCHEMAS } from "./workflow-schemas.ts";

/** SQL that takes the schema from version `index` to `index + 1`; published entries never change. */
export const MIGRATIONS: readonly string[] = [
  SCHEMA_1,
  KEYS_BY_AGE,
  SCHEMA_SCHEDULES,
  SCHEMA_JOBS,
  WORKFLOW_SCHEMAS,
  LISTS,
  FORKS,
  COMPACT_JOURNAL,
  PARKING,
  WAITS_SCHEMA,
  SCHEMA_WEBHOOKS,
  RETENTION,
  WAIT_KEYS_SCHEMA,
  SCHEMA_DATASTORES,
  FORKS_ASKED,
  SCHEMA_FILES,
  SCHEMA_AGENTS,
  SCHEMA_BUDGETS,
  DROPPED_USAGE,
  AWAITED,
  SCHEMA_ACCESSORIES,
  RESULTS_OF,
  IMPORT_USAGE,
  SCHEMA_WAKINGS,
  IMPORT_PAYER,
  JOURNAL_NODES,
  SCHEMA_GRAPHS,
  SCHEMA_KEYS,
  SCHEMA_AUDIT,
  SCHEMA_SECRETS,
  SECRET_HOSTS,
  COUNTED_BY_HAND,
];

/** Brings the schema up to date, one transaction per step; CONFLICT when a newer Weft wrote the file. */
export function migrate(db: Database, directory: string): void {
  const found = db.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
  if (found > MIGRATIONS.length) {
    const message = `The store in ${directory} has schema version ${found}; this Weft knows versions up to ${MIGRATIONS.length}. Start a newer Weft.`;
    throw fail("CONFLICT", { message, directory, found, known: MIGRATIONS.length });
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index >= found) step(db, index + 1, sql);
  }
}

function step(db: Database, version: number, sql: string): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    db.exec(sql);
    db.exec(`PRAGMA user_version = ${version}`);
    db.exec("COMMIT");
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
