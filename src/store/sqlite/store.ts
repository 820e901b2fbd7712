import { dirname, resolve } from "node:path";
import type { Store, Version, Workflow } from "../store.ts";
import { createAccounts } from "./accounts.ts";
import { createAgents } from "./agents.ts";
import { createApprovals } from "./approvals.ts";
import { createAudit } from "./audit.ts";
import { createCancellation } from "./cancellation.ts";
import { type Database, type Durability, openDatabase } from "./database.ts";
import { createDatastoreFiles } from "./datastore-files.ts";
import { createDatastoreImports } from "./datastore-imports.ts";
import { createDatastores } from "./datastores.ts";
import { createDeliveries } from "./deliveries.ts";
import { EarlierTexts } from "./earlier-texts.ts";
import { createEndedRoots } from "./ended-roots.ts";
import { createEndpoints } from "./endpoints.ts";
import { createEvents } from "./events.ts";
import { createExecutions } from "./executions.ts";
import { createFiles } from "./files.ts";
import { createForks } from "./forks.ts";
import { findGates } from "./gates.ts";
import { createGraphs } from "./graphs.ts";
import { createHits } from "./hits.ts";
import { createJobs } from "./jobs.ts";
import { createJournal } from "./journal.ts";
import { createKeys } from "./keys.ts";
import { createLeases } from "./leases.ts";
import { createGraphLists } from "./list-graphs.ts";
import { migrate } from "./migrations.ts";
import { createOutput } from "./output.ts";
import { dropUnusedTriggers } from "./rare-triggers.ts";
import { Recent } from "./recent.ts";
import { createRemoval, finishRemovals } from "./removal.ts";
import { removeExecution } from "./remove-execution.ts";
import { createReservations } from "./reservations.ts";
import { createResults } from "./results.ts";
import { createScheduleSync } from "./schedule-sync.ts";
import { createSchedules } from "./schedules.ts";
import { createSecrets } from "./secrets.ts";
import { createTopUps } from "./top-ups.ts";
import { createTraces } from "./trace.ts";
import { createVersions } from "./versions.ts";
import { createWaits } from "./waits.ts";
import { createWakings } from "./wakings.ts";
import { createWorkflows } from "./workflows.ts";
import { Writer } from "./writer.ts";

interface Recents {
  readonly workflows: Recent<Workflow>;
  readonly versions: Recent<Version>;
}

/** Where the store is and what a resolved write survives. */
export interface SqliteStoreOptions {
  /** Path of the database; its directory is made when missing and belongs to one server at a time. */
  readonly file: string;
  readonly durability: Durability;
}

/** Workflows, their versions, and what is known of them as graphs. */
const createDefinitions = (db: Database, writer: Writer, recent: Recents) => ({
  ...createWorkflows(db, writer, recent.workflows),
  ...createVersions(db, writer, recent),
  ...createGraphs(db, writer),
  ...createGraphLists(db),
});

/** How well the disk does. */
const healthOf = (writer: Writer) => ({ diskError: () => writer.diskError, isSound: () => writer.isSound });

/** Who may do what, what they did, and what is kept secret for them. */
const createManagement = (db: Database, writer: Writer) => ({
  ...createAccounts(db, writer),
  ...createAudit(db, writer),
  ...createSecrets(db, writer),
});

/** Opens the store; CONFLICT when another server holds the directory or a newer Weft wrote it. */
export async function createSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const db = openDatabase(options.file, options.durability);
  try {
    migrate(db, dirname(resolve(options.file)));
    findGates(db);
    dropUnusedTriggers(db);
    const recent = { workflows: new Recent<Workflow>(), versions: new Recent<Version>() };
    const earlier = new EarlierTexts();
    const forget = () => {
      recent.workflows.clear();
      recent.versions.clear();
      earlier.clear();
    };
    const writer = new Writer(db, forget);
    // Stopped by close, and then continued by the next process.
    finishRemovals(db, writer).catch(() => undefined);
    return {
      ...createManagement(db, writer),
      ...createReservations(db, writer),
      ...createTopUps(db, writer),
      ...createWakings(db, writer),
      ...createDefinitions(db, writer, recent),
      ...createRemoval(db, writer, forget),
      ...createExecutions(db, writer),
      ...createHits(db, writer),
      ...createKeys(db, writer),
      ...createFiles(db, writer),
      ...createForks(db, writer, earlier),
      ...createLeases(db, writer),
      ...createCancellation(db, writer),
      ...createJobs(db, writer),
      ...createJournal(db, writer, earlier),
      ...createOutput(db, writer),
      ...createTraces(db),
      ...createEndedRoots(db),
      removeExecution: (params) => removeExecution(db, writer, params),
      ...createResults(db, writer),
      ...createSchedules(db, writer),
      ...createScheduleSync(db, writer),
      ...createWaits(db, writer),
      ...createApprovals(db, writer),
      ...createEvents(db, writer),
      ...createEndpoints(db, writer),
      ...createDeliveries(db, writer),
      ...createDatastores(db, writer),
      ...createDatastoreImports(db, writer),
      ...createDatastoreFiles(db, writer),
      ...createAgents(db, writer),
      ...healthOf(writer),
      async close() {
        if (writer.close()) db.close();
      },
    };
  } catch (error) {
    db.close();
    throw error;
  }
}
