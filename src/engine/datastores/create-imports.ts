import { fail } from "../../../runtime/index.ts";
import type { Datastore, DatastoreImport, NewDatastoreImport } from "../../store/store.ts";
import { checkDatastoreName } from "./attach.ts";
import type { DatastoreService, ImportRequest, ShownImport, Staged } from "./datastore-service.ts";
import { definitionText } from "./definition.ts";
import type { ImportQueue } from "./import-queue.ts";
import { newId } from "./new-id.ts";
import type { DatastoreParts } from "./run-import.ts";

/** What of the service is about imports. */
export type Imports = Pick<
  DatastoreService,
  "checkImport" | "stage" | "discard" | "addImport" | "imports" | "import" | "importEnd" | "cancelImport"
>;

/** Ended imports that are remembered of each datastore. */
const KEPT_IMPORTS = 20;

const unknownImport = (id: string) =>
  fail("NOT_FOUND", { message: `Import not found: ${id.slice(0, 100)}`, code: "import_not_found" });

function tooManyUploads(value: number, max: number): Error {
  const message = `imports: ${value} uploads of the account are under way, which is the limit (${max}, maxOpenImports)`;
  return fail("RATE_LIMITED", { message, limit: "maxOpenImports", value });
}

type Rows = Pick<DatastoreService, "create" | "find">;

/** Makes the function that queues staged bytes. */
function createEnqueue({ create, find }: Rows, parts: DatastoreParts, queue: ImportQueue) {
  const { store, limits, now } = parts;
  const findOrMake = async ({ accountId, key, creates, definition }: ImportRequest): Promise<Datastore> => {
    const known = creates ? await store.findDatastore({ accountId, key }) : await find({ accountId, key });
    // Made no sooner than all bytes are here: a sender who goes away leaves nothing.
    return known ?? create({ accountId, name: key, definition: definition ?? {} });
  };
  return async ({ id, bytes }: Staged, request: ImportRequest): Promise<[DatastoreImport, Datastore]> => {
    const { accountId, format, options, definition } = request;
    const datastore = await findOrMake(request);
    const item: NewDatastoreImport = {
      id,
      accountId,
      datastoreId: datastore.id,
      payer: request.payer ?? null,
      format,
      options: JSON.stringify(options),
      definition: definition === null ? datastore.definition : definitionText(definition),
      bytes,
      createdAt: now(),
    };
    await store.addDatastoreImport({ item, max: limits.maxOpenImports, keep: KEPT_IMPORTS });
    const queued: DatastoreImport = { ...item, usage: { tokens: 0, costUsd: 0 }, state: { status: "queued" } };
    queue.add(queued);
    return [queued, datastore];
  };
}

/** Takes uploads to the disk until `queued` makes imports of them. */
function createStaging(
  { disk, limits }: DatastoreParts,
  queued: Imports["addImport"],
): Pick<Imports, "stage" | "discard" | "addImport"> {
  /** Whose uploads are on their way or wait to be imported. */
  const staged = new Map<string, string>();
  return {
    async stage({ accountId, body, length, signal }) {
      const count = [...staged.values()].filter((owner) => owner === accountId).length;
      if (count >= limits.maxOpenImports) throw tooManyUploads(count, limits.maxOpenImports);
      const id = newId("imp");
      staged.set(id, accountId);
      try {
        return { id, bytes: await disk.receive(id, body, length, signal) };
      } catch (error) {
        staged.delete(id);
        throw error;
      }
    },
    async discard({ id }) {
      await disk.removeUpload(id);
      staged.delete(id);
    },
    async addImport(upload, request) {
      try {
        return await queued(upload, request);
      } catch (error) {
        await disk.removeUpload(upload.id);
        throw error;
      } finally {
        staged.delete(upload.id);
      }
    },
  };
}

/** Makes the imports of the service. */
export function createImports(rows: Rows, parts: DatastoreParts, queue: ImportQueue): Imports {
  const { store } = parts;
  const { find } = rows;
  const enqueue = createEnqueue(rows, parts, queue);

  const show = (item: DatastoreImport, { name }: Datastore): ShownImport => ({
    ...item,
    datastore: name,
    progress: queue.progressOf(item.id),
  });

  const look = async (name: { accountId: string; key: string; importId: string }) => {
    const datastore = await find(name);
    const { accountId, id: datastoreId } = datastore;
    const { importId } = name;
    const item = await store.findDatastoreImport({ accountId, datastoreId, importId });
    if (item === null) throw unknownImport(importId);
    return show(item, datastore);
  };

  return {
    async checkImport({ accountId, key, creates }) {
      if (!creates) await find({ accountId, key });
      else if ((await store.findDatastore({ accountId, key })) === null) checkDatastoreName(key, "name");
    },
    ...createStaging(parts, async (upload, request) => show(...(await enqueue(upload, request)))),
    async imports(name) {
      const datastore = await find(name);
      const { accountId, id: datastoreId } = datastore;
      const items = await store.listDatastoreImports({ accountId, datastoreId, limit: KEPT_IMPORTS });
      return items.map((item) => show(item, datastore));
    },
    import: look,
    async importEnd(name) {
      await look(name);
      await queue.ended(name.importId);
      return look(name);
    },
    async cancelImport(name) {
      const { state, id } = await look(name);
      if (state.status !== "queued" && state.status !== "running")
        throw fail("CONFLICT", { message: `Import ${id} has ended: it is ${state.status}.` });
      await queue.cancel(id);
      return look(name);
    },
  };
}
