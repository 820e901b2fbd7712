import { execution, T0, type World } from "../fixtures.ts";

/** Calls whatever the store can do with datastores. */
export async function useDatastores({ store, account, workflow }: World): Promise<void> {
  const accountId = account.id;
  const datastore = { id: "ds_1", accountId, name: "n", definition: "{}", createdAt: T0 };
  await store.addDatastore({ datastore, max: 9 });
  const key = { accountId, datastoreId: "ds_1" };
  for (const name of ["n", "ds_1"]) await store.findDatastore({ accountId, key: name });
  await store.listDatastores({ accountId, limit: 5, offset: 0 });
  const item = {
    ...key,
    id: "imp_1",
    payer: null,
    format: "csv",
    options: "{}",
    definition: "{}",
    bytes: 1,
    createdAt: T0,
  };
  await store.addDatastoreImport({ item, max: 9, keep: 9 });
  await store.findDatastoreImport({ ...key, importId: "imp_1" });
  await store.listDatastoreImports({ ...key, limit: 5 });
  await store.reopenDatastoreImports();
  await store.beginDatastoreImport({ importId: "imp_1", now: T0 });
  const base = (await store.nextDatastoreBase(key)) ?? 0;
  const to = { revision: 1, base, schema: "{}", rows: 1, bytes: 1 };
  await store.completeDatastoreImport({
    importId: "imp_1",
    from: 0,
    to,
    warnings: [],
    usage: { tokens: 0, costUsd: 0 },
    now: T0,
  });
  const end = { importId: "imp_1", status: "failed", error: { code: "INTERNAL", message: "", details: {} } } as const;
  await store.endDatastoreImport({ ...end, usage: { tokens: 0, costUsd: 0 }, now: T0 });
  const pins = { datastores: { n: { id: "ds_1", base, revision: 1 } } };
  await store.enqueue({ execution: execution(workflow, { data: JSON.stringify(pins) }) });
  await store.moveDatastore({ ...key, from: 1, to: { ...to, revision: 2, base: 2 }, now: T0 });
  await store.unusedDatastoreFiles({ before: T0 + 1, limit: 5 });
  await store.forgetDatastoreFile({ ...key, base });
  await store.datastoreFiles();
  await store.removeDatastore({ ...key, now: T0 });
}
