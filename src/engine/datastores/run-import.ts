import { stat } from "node:fs/promises";
import {
  type DatastoreRuntime,
  type Format,
  fail,
  type IngestProgress,
  type IngestReport,
  type Limits,
  toRecord,
  toWorkflowError,
} from "../../../runtime/index.ts";
import type { Datastore, DatastoreImport, DatastoreRevision, Store } from "../../store/store.ts";
import type { Ledger } from "../budgets/ledger.ts";
import { parseDefinition, parseOptions, toDeclared } from "./definition.ts";
import type { Disk } from "./disk.ts";
import { Spent } from "./spent.ts";

/** What datastores stand on. */
export interface DatastoreParts {
  readonly store: Store;
  readonly runtime: DatastoreRuntime;
  readonly disk: Disk;
  readonly limits: Limits;
  /** Holds embeddings to the daily pools. */
  readonly ledger: Pick<Ledger, "spendingOf">;
  readonly report: (error: unknown) => void;
  /** True while a backup is taken: no file is removed. */
  readonly isHeld: () => boolean;
  /** Aborted when the server stops. */
  readonly closing: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** One import as it runs. */
export interface RunningImport {
  readonly item: DatastoreImport;
  /** Aborted to cancel it, or (STOPPING) to leave it to the next start. */
  readonly signal: AbortSignal;
  onProgress(progress: IngestProgress): void;
}

/** The text whose vector tells how many numbers a model gives. */
const PROBE_TEXT = "How long is a vector?";

const gone = () => fail("NOT_FOUND", { message: "The datastore was deleted.", code: "datastore_not_found" });
const changed = () =>
  fail("CONFLICT", { message: "The datastore was changed while the import ran; import the file again." });

async function ingest(
  { item, signal, onProgress, spent }: RunningImport & { readonly spent: Spent },
  target: { readonly file: string; readonly revision: number },
  parts: DatastoreParts,
): Promise<IngestReport> {
  const { runtime, disk, limits } = parts;
  const payer = { accountId: item.accountId, key: item.payer };
  let calls = 0;
  const embed = async (model: string | null, texts: readonly string[], dimensions: number | null) => {
    const call = calls++;
    const spending = parts.ledger.spendingOf(payer, signal);
    const wanted = { model, texts, dimensions, idempotencyKey: `${item.id}:${call}`, signal, spending };
    return runtime.embed(wanted, spent.meter(call));
  };
  const schema = await toDeclared(parseDefinition(item.definition), async (model) => {
    const made = await embed(model, [PROBE_TEXT], null);
    return { model: made.model, dimensions: made.vectors[0]?.length ?? 0 };
  });
  const { vector } = schema;
  const source = vector === undefined || vector === null ? "data" : vector.source;
  return runtime.ingest({
    source: disk.uploadOf(item.id),
    format: item.format as Format,
    options: parseOptions(item.options),
    schema,
    target: target.file,
    revision: target.revision,
    limits,
    signal,
    onProgress,
    ...(source === "data"
      ? {}
      : {
          embed: async (texts) => (await embed(source.model, texts, vector?.dimensions ?? null)).vectors,
        }),
  });
}

async function write(
  running: RunningImport & { readonly spent: Spent },
  datastore: Datastore,
  file: { readonly path: string; readonly base: number },
  parts: DatastoreParts,
): Promise<void> {
  const { store, disk, now } = parts;
  const from = datastore.current?.revision ?? 0;
  const revision = from + 1;
  await disk.prepare(file.path);
  const done = await ingest(running, { file: file.path, revision }, parts);
  const { size } = await stat(file.path);
  const schema = JSON.stringify(done.schema);
  const to: DatastoreRevision = { revision, base: file.base, schema, rows: done.rows, bytes: size };
  const importId = running.item.id;
  const end = { importId, from, to, warnings: done.warnings, usage: running.spent.total, now: now() };
  if (!(await store.completeDatastoreImport(end))) throw changed();
}

/** Runs an import to its end, whatever that is; rejects only with STOPPING, which leaves it to the next start. */
export async function runImport(running: RunningImport, parts: DatastoreParts): Promise<void> {
  const { store, disk, now, report } = parts;
  const { item, signal } = running;
  const { id: importId, accountId, datastoreId } = item;
  if (!(await store.beginDatastoreImport({ importId, now: now() }))) return disk.removeUpload(importId);
  const spent = new Spent();
  let path: string | null = null;
  try {
    const datastore = await store.findDatastore({ accountId, key: datastoreId });
    const base = await store.nextDatastoreBase({ accountId, datastoreId });
    if (datastore === null || base === null) throw gone();
    path = parts.runtime.fileOf(accountId, { id: datastoreId, base });
    await write({ ...running, spent }, datastore, { path, base }, parts);
  } catch (thrown) {
    const error = toWorkflowError(signal.aborted ? signal.reason : thrown);
    if (path !== null) await disk.removeFile(path).catch(report);
    if (error.code === "STOPPING") throw error;
    if (error.code === "INTERNAL") report(error.cause ?? error);
    const status = error.code === "EXECUTION_CANCELLED" ? "cancelled" : "failed";
    await store.endDatastoreImport({ importId, status, error: toRecord(error), usage: spent.total, now: now() });
  }
  await disk.removeUpload(importId);
}
