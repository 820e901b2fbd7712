import { fail } from "../../../runtime/index.ts";
import type { Datastore, DatastoreImport } from "../../store/store.ts";
import { createTurns } from "../turns.ts";
import { checkDatastoreName } from "./attach.ts";
import { isFilled } from "./change-records.ts";
import { collectFiles, keepCollecting } from "./collect-files.ts";
import { createChanges } from "./create-changes.ts";
import { createImports } from "./create-imports.ts";
import type { DatastoreService } from "./datastore-service.ts";
import { definitionText } from "./definition.ts";
import { downloadOf } from "./download.ts";
import { createImportQueue, type ImportQueue } from "./import-queue.ts";
import { newId } from "./new-id.ts";
import { createReads } from "./read-datastore.ts";
import type { DatastoreParts } from "./run-import.ts";

/** What an operator chooses. */
export interface DatastoreSettings {
  /** Imports that run at the same time. */
  readonly maxImports: number;
  /** How long a file that was left stays at least, ms. */
  readonly keepMs: number;
}

/** Datastores with their beginning and end. */
export interface Datastores extends DatastoreService {
  /** Removes what an earlier process left half done, and goes on with its imports. */
  start(): Promise<void>;
  /** Leaves imports under way to the next start. */
  stop(): Promise<void>;
}

const unknown = (key: string) =>
  fail("NOT_FOUND", { message: `Datastore not found: ${key.slice(0, 100)}`, code: "datastore_not_found" });
const empty = ({ name }: Datastore) =>
  fail("CONFLICT", { message: `Datastore ${name} has no records yet: import some first.` });

type Rows = Pick<DatastoreService, "create" | "find" | "list" | "remove">;

function createRows({ store, limits, now }: DatastoreParts, queue: ImportQueue): Rows {
  const find: Rows["find"] = async ({ accountId, key }) => {
    const datastore = await store.findDatastore({ accountId, key });
    if (datastore === null) throw unknown(key);
    return datastore;
  };
  return {
    find,
    async create({ accountId, name, definition }) {
      checkDatastoreName(name, "name");
      const datastore = { id: newId("ds"), accountId, name, definition: definitionText(definition), createdAt: now() };
      return store.addDatastore({ datastore, max: limits.maxDatastores });
    },
    list: (params) => store.listDatastores(params),
    async remove(name) {
      const { accountId, id: datastoreId } = await find(name);
      const removed = await store.removeDatastore({ accountId, datastoreId, now: now() });
      await queue.cancelAll(datastoreId);
      if (!removed) throw unknown(name.key);
    },
  };
}

function createLife({ keepMs }: DatastoreSettings, parts: DatastoreParts, queue: ImportQueue) {
  const { store, disk } = parts;
  let collecting: { close(): Promise<void> } | null = null;
  return {
    async start() {
      const open = await store.reopenDatastoreImports();
      const uploads = open.map(({ id }) => id);
      await disk.clean(await store.datastoreFiles(), uploads);
      for (const item of open) queue.add(item);
      await collectFiles(keepMs, parts);
      collecting = keepCollecting(keepMs, parts);
    },
    async stop() {
      await queue.close();
      await collecting?.close();
    },
  };
}

/** Makes the service over a directory that is open. */
export function createDatastores(parts: DatastoreParts, settings: DatastoreSettings): Datastores {
  const inTurn = createTurns();
  /** Imports that run within the turn of the change that waits for them. */
  const firsts = new Set<string>();
  // A change that is under way comes first; those that come later see the import and are refused.
  const settled = ({ id, datastoreId }: DatastoreImport) =>
    firsts.has(id) ? Promise.resolve() : inTurn(datastoreId, () => Promise.resolve());
  const queue = createImportQueue(parts, { max: settings.maxImports, settled });
  const rows = createRows(parts, queue);
  const imports = createImports(rows, parts, queue);
  const { find } = rows;
  return {
    ...rows,
    ...imports,
    ...createChanges({ find, imports, queue, inTurn, firsts }, parts),
    ...createReads(find, parts),
    async download({ format, signal, ...name }) {
      const datastore = await find(name);
      if (!isFilled(datastore)) throw empty(datastore);
      return downloadOf(datastore, { format, signal }, parts);
    },
    ...createLife(settings, parts, queue),
  };
}
