import type { Filled } from "./change-records.ts";
import type { DatastoreParts } from "./run-import.ts";

/** Fewer dead rows are not worth a new file. */
const MIN_DEAD_ROWS = 1_000;

/** Writes the records of a revision to a file of their own once more than half of the old one is dead rows; its number stays. */
export async function compactIfWorthIt({ accountId, id, current }: Filled, parts: DatastoreParts): Promise<void> {
  const { runtime, store, disk, now } = parts;
  const asking = { accountId };
  const { base, revision } = current;
  const ref = { file: runtime.fileOf(accountId, { id, base }), revision };
  const { deadRows, rows } = await runtime.queries.describe(ref, asking);
  if (deadRows < MIN_DEAD_ROWS || deadRows < rows) return;
  const next = await store.nextDatastoreBase({ accountId, datastoreId: id });
  if (next === null) return;
  const file = runtime.fileOf(accountId, { id, base: next });
  try {
    await disk.prepare(file);
    await disk.checkRoom(current.bytes);
    const { bytes } = await runtime.queries.copy(ref, file, asking);
    const to = { ...current, base: next, bytes };
    if (await store.moveDatastore({ accountId, datastoreId: id, from: revision, to, now: now() })) return;
  } catch (error) {
    await disk.removeFile(file);
    throw error;
  }
  await disk.removeFile(file);
}
