import { type Asking, type DatastoreSchema, fail, type QueryParams, type RevisionRef } from "../../../runtime/index.ts";
import type { Datastore } from "../../store/store.ts";
import type { DatastoreService, ReadAnswer, ReadRequest } from "./datastore-service.ts";
import type { DatastoreParts } from "./run-import.ts";
import { Spent } from "./spent.ts";

type Find = DatastoreService["find"];

/** What of the service reads. */
export type Reads = Pick<DatastoreService, "get" | "count" | "scan" | "search" | "query">;

interface Reading {
  readonly datastore: Datastore;
  readonly ref: RevisionRef;
  readonly asking: Asking;
  /** Name of the API key that asks; null = none. */
  readonly payer: string | null;
  readonly spent: Spent;
}

const EMPTY_PAGE = '{"records":[],"after":null}';

function invalid(param: string, rule: string): Error {
  return fail("INVALID_REQUEST", { message: `${param}: ${rule}`, param });
}

function fieldsOf(value: unknown, param: string): Readonly<Record<string, never>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "object" && !Array.isArray(value)) return value as Readonly<Record<string, never>>;
  throw invalid(param, "must be an object");
}

/** The search with a vector of its text, where it asks for one and the datastore's vectors were made by a model. */
async function withVector(
  { datastore, asking, spent, payer: key }: Reading,
  params: Readonly<Record<string, unknown>>,
  { runtime, closing, ledger }: DatastoreParts,
): Promise<Readonly<Record<string, unknown>>> {
  const { mode, query, vector } = params;
  const isByVector = mode === "vector" || mode === "hybrid";
  if (!isByVector || (vector ?? null) !== null || typeof query !== "string" || query.trim() === "") return params;
  const schema = JSON.parse(datastore.current?.schema ?? "null") as DatastoreSchema | null;
  const own = schema?.vector ?? null;
  if (own === null || own.source === "data") return params;
  const { dimensions, source } = own;
  const signal = asking.signal ?? closing;
  const wanted = {
    model: source.model,
    texts: [query],
    dimensions,
    idempotencyKey: crypto.randomUUID(),
    signal,
    spending: ledger.spendingOf({ accountId: datastore.accountId, key }, signal),
  };
  const { vectors } = await runtime.embed(wanted, spent.meter(0));
  return { ...params, vector: vectors[0] };
}

/** Makes the reads of the service, each at the revision that readers come to now. */
export function createReads(find: Find, parts: DatastoreParts): Reads {
  const { queries, fileOf } = parts.runtime;

  /** `empty` is the answer of a datastore without records. */
  const read = async (
    { accountId, key, payer = null, signal }: ReadRequest,
    empty: string,
    ask: (reading: Reading) => Promise<string>,
  ): Promise<ReadAnswer> => {
    const datastore = await find({ accountId, key });
    const { current, id } = datastore;
    const spent = new Spent();
    if (current === null) return { base: 0, revision: 0, text: empty, usage: spent.total };
    const { base, revision } = current;
    const ref = { file: fileOf(accountId, { id, base }), revision };
    const text = await ask({ datastore, ref, asking: { accountId, signal }, payer, spent });
    return { base, revision, text, usage: spent.total };
  };

  return {
    get: ({ ids, ...name }) =>
      read(name, JSON.stringify(ids.map(() => null)), ({ ref, asking }) => queries.get(ref, ids, asking)),
    count: ({ filter, ...name }) =>
      read(name, "0", ({ ref, asking }) => queries.count(ref, fieldsOf(filter, "filter"), asking)),
    scan({ filter, limit, after, ...name }) {
      const conditions = fieldsOf(filter, "filter");
      const page = { limit, ...(conditions === undefined ? {} : { filter: conditions }) };
      return read(name, EMPTY_PAGE, ({ datastore, ref, asking }) => {
        if (after === null) return queries.scan(ref, page, asking);
        if (after.revision > ref.revision) throw invalid("cursor", "is not one of this list");
        if (after.base !== datastore.current?.base)
          throw invalid("cursor", "the datastore was replaced since the first page; begin again");
        return queries.scan({ ...ref, revision: after.revision }, { ...page, after: after.row }, asking);
      });
    },
    search: ({ params, ...name }) =>
      read(name, "[]", async (reading) =>
        queries.search(reading.ref, await withVector(reading, params, parts), reading.asking),
      ),
    query({ sql, params, ...name }) {
      if (params !== undefined && params !== null && typeof params !== "object")
        throw invalid("params", "must be a list or an object");
      const bound = (params ?? undefined) as QueryParams["params"];
      return read(name, '{"columns":[],"rows":[]}', ({ datastore, ref, asking }) =>
        queries.query(ref, { name: datastore.name, sql, ...(bound === undefined ? {} : { params: bound }) }, asking),
      );
    },
  };
}
