import { Readable } from "node:stream";
import { fail, toWorkflowError } from "../../../runtime/index.ts";
import type { Datastore } from "../../store/store.ts";
import type { Turns } from "../turns.ts";
import { type Filled, isFilled, removeRecords, upsertRecords } from "./change-records.ts";
import { compactIfWorthIt } from "./compact.ts";
import type { Imports } from "./create-imports.ts";
import type { ChangeReport, DatastoreService, ReadRequest } from "./datastore-service.ts";
import type { ImportQueue } from "./import-queue.ts";
import type { DatastoreParts } from "./run-import.ts";
import { Spent } from "./spent.ts";

/** What changes stand on besides the parts. */
export interface ChangeContext {
  readonly find: DatastoreService["find"];
  readonly imports: Imports;
  readonly queue: ImportQueue;
  /** Changes of one datastore take turns. */
  readonly inTurn: Turns;
  /** Imports that run within the turn of the change that waits for them. */
  readonly firsts: Set<string>;
}

const NOTHING: ChangeReport = { revision: 0, rows: 0, added: 0, replaced: 0, removed: 0, usage: new Spent().total };

const busy = ({ name }: Datastore) => {
  const message = `Datastore ${name}: an import is on its way and will replace all records; try again when it has ended.`;
  return fail("CONFLICT", { message });
};

/** The first records decide the columns, as those of a file do. */
async function importFirst(
  { accountId, id: key }: Datastore,
  records: readonly unknown[],
  { signal, payer = null }: ReadRequest,
  { imports, firsts }: ChangeContext,
): Promise<ChangeReport> {
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  const body = Readable.from(lines, { objectMode: false });
  const staged = await imports.stage({ accountId, body, length: null, signal });
  const importId = staged.id;
  firsts.add(importId);
  const whole = { format: "jsonl", options: { onDuplicate: "last" }, definition: null, creates: false } as const;
  try {
    await imports.addImport(staged, { accountId, key, payer, ...whole });
    const { state, usage } = await imports.importEnd({ accountId, key, importId });
    if (state.status === "complete")
      return { ...NOTHING, revision: state.revision, rows: state.rows, added: state.rows, usage };
    if (!("error" in state)) throw fail("STOPPING");
    const { code, message, details } = state.error;
    throw fail(code, { ...details, message });
  } finally {
    firsts.delete(importId);
  }
}

/** Makes the changes of single records. */
export function createChanges(
  context: ChangeContext,
  parts: DatastoreParts,
): Pick<DatastoreService, "upsert" | "removeRecords"> {
  const { find, queue, inTurn } = context;

  /** True while an import is on its way; one whose end is known already is waited for. */
  const isBusy = async ({ accountId, id: datastoreId }: Datastore): Promise<boolean> => {
    for (const importId of queue.openOf(datastoreId)) {
      const item = await parts.store.findDatastoreImport({ accountId, datastoreId, importId });
      if (item?.state.status === "queued" || item?.state.status === "running") return true;
      await queue.ended(importId);
    }
    return false;
  };

  const changed = async <T>(request: ReadRequest, work: (datastore: Datastore) => Promise<T>): Promise<T> => {
    const { id } = await find(request);
    return inTurn(id, async () => {
      const datastore = await find(request);
      if (await isBusy(datastore)) throw busy(datastore);
      return work(await find(request));
    });
  };

  /** Later, and behind the changes that wait: a file with many dead rows is written anew. */
  const tidy = ({ accountId, id: key }: Filled) => {
    const work = inTurn(key, async () => {
      const latest = await parts.store.findDatastore({ accountId, key });
      if (latest !== null && isFilled(latest) && queue.openOf(key).length === 0) await compactIfWorthIt(latest, parts);
    });
    work.catch((error: unknown) => {
      if (toWorkflowError(error).code !== "STOPPING") parts.report(error);
    });
  };

  return {
    upsert: ({ records, ...request }) =>
      changed(request, async (datastore) => {
        if (!isFilled(datastore)) return importFirst(datastore, records, request, context);
        const report = await upsertRecords(datastore, { records, payer: request.payer ?? null }, parts);
        if (report.replaced > 0) tidy(datastore);
        return report;
      }),
    removeRecords: ({ ids, ...request }) =>
      changed(request, async (datastore) => {
        if (!isFilled(datastore)) return NOTHING;
        const report = await removeRecords(datastore, ids, parts);
        if (report.removed > 0) tidy(datastore);
        return report;
      }),
  };
}
