import { type DatastoreSchema, fail, type RecordInput, type WriteReport } from "../../../runtime/index.ts";
import type { Datastore, DatastoreRevision } from "../../store/store.ts";
import type { Payer } from "../budgets/ledger.ts";
import type { ChangeReport } from "./datastore-service.ts";
import type { DatastoreParts } from "./run-import.ts";
import { Spent } from "./spent.ts";

/** A datastore that has records. */
export interface Filled extends Datastore {
  readonly current: DatastoreRevision;
}

/** True once it has records. */
export const isFilled = (datastore: Datastore): datastore is Filled => datastore.current !== null;

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function refuse(index: number, why: string): Error {
  return fail("INVALID_REQUEST", { message: `record ${index + 1}: ${why}`, param: "records", record: index + 1 });
}

/** Where the ids are no member of the data they stand beside it. */
function toInput(record: unknown, index: number, { idField }: DatastoreSchema): RecordInput {
  if (!isFields(record)) throw refuse(index, "must be an object");
  if (idField !== null) return { data: record };
  const { id, data, ...rest } = record;
  if ((typeof id === "string" || typeof id === "number") && isFields(data) && Object.keys(rest).length === 0)
    return { id: String(id), data };
  throw refuse(index, 'must be { "id": …, "data": { … } }, because this datastore has no id field');
}

/** The text that a record's vector is made from: its fields, one a line, as an import does it. */
function textOf({ data }: RecordInput, fields: readonly string[]): string {
  return fields
    .map((field) => data[field] ?? null)
    .filter((value) => value !== null)
    .map((value) => (typeof value === "boolean" ? Number(value) : value))
    .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
    .join("\n");
}

/** Texts sent to a model at a time. */
const BATCH = 64;

async function withVectors(
  inputs: readonly RecordInput[],
  { vector }: DatastoreSchema,
  { key, spent, payer }: { readonly key: string; readonly spent: Spent; readonly payer: Payer },
  { runtime, closing: signal, ledger }: DatastoreParts,
): Promise<readonly RecordInput[]> {
  if (vector === null || vector.source === "data") return inputs;
  const { fields, model } = vector.source;
  const { dimensions } = vector;
  const made: RecordInput[] = [];
  for (let at = 0; at < inputs.length; at += BATCH) {
    const batch = inputs.slice(at, at + BATCH);
    const all = batch.map((input) => textOf(input, fields));
    const texts = all.filter((text) => text !== "");
    const spending = ledger.spendingOf(payer, signal);
    const wanted = { model, texts, dimensions, idempotencyKey: `${key}:${at}`, signal, spending };
    const vectors = texts.length === 0 ? [] : (await runtime.embed(wanted, spent.meter(at))).vectors;
    const left = vectors.values();
    // A record without any text has no vector.
    made.push(
      ...batch.map((input, index) => (all[index] === "" ? input : { ...input, vector: left.next().value ?? [] })),
    );
  }
  return made;
}

/** A change of the file: `revision` is the number that it gets. */
type Write = (file: string, revision: number) => Promise<WriteReport>;

type Change = Omit<ChangeReport, "usage">;

async function publish(datastore: Filled, write: Write, parts: DatastoreParts): Promise<Change> {
  const { accountId, id, current } = datastore;
  const file = parts.runtime.fileOf(accountId, { id, base: current.base });
  const revision = current.revision + 1;
  const { rows, bytes, added, replaced, removed } = await write(file, revision);
  // Nothing was changed: readers stay where they are, and what is cached stays good.
  if (added + replaced + removed === 0)
    return { revision: current.revision, rows: current.rows, added, replaced, removed };
  const to: DatastoreRevision = { ...current, revision, rows, bytes };
  const move = { accountId, datastoreId: id, from: current.revision, to, now: parts.now() };
  if (!(await parts.store.moveDatastore(move)))
    throw fail("CONFLICT", { message: "The datastore was deleted or changed meanwhile." });
  return { revision, rows, added, replaced, removed };
}

/** Removals are taken at any size. */
async function checkSize(
  { name, current }: Filled,
  { disk, limits }: Pick<DatastoreParts, "disk" | "limits">,
): Promise<void> {
  const { maxDatastoreBytes: max } = limits;
  if (current.bytes > max)
    throw fail("LIMIT_EXCEEDED", {
      message: `datastore ${name}: bytes: ${current.bytes} is over the limit maxDatastoreBytes of ${max}`,
      limit: "maxDatastoreBytes",
      value: current.bytes,
    });
  await disk.checkRoom(0);
}

/** Adds records to a datastore, or replaces those with the same ids, as its next revision. */
export async function upsertRecords(
  datastore: Filled,
  { records, payer: apiKey }: { readonly records: readonly unknown[]; readonly payer: string | null },
  parts: DatastoreParts,
): Promise<ChangeReport> {
  const { accountId, id, current } = datastore;
  const schema = JSON.parse(current.schema) as DatastoreSchema;
  const inputs = records.map((record, index) => toInput(record, index, schema));
  await checkSize(datastore, parts);
  const spent = new Spent();
  const payer = { accountId, key: apiKey };
  const complete = await withVectors(inputs, schema, { key: `${id}:${current.revision + 1}`, spent, payer }, parts);
  const { queries } = parts.runtime;
  const write: Write = (file, revision) => queries.upsert(file, revision, complete, { accountId });
  return { ...(await publish(datastore, write, parts)), usage: spent.total };
}

/** Removes records, as the next revision. */
export async function removeRecords(
  datastore: Filled,
  ids: readonly string[],
  parts: DatastoreParts,
): Promise<ChangeReport> {
  const { accountId } = datastore;
  const { queries } = parts.runtime;
  const write: Write = (file, revision) => queries.remove(file, revision, ids, { accountId });
  return { ...(await publish(datastore, write, parts)), usage: new Spent().total };
}
