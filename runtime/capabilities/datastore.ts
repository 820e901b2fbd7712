import { MAX_GET_IDS } from "../datastores/limits.ts";
import type { Asking, QueryParams, RevisionRef, ScanParams, SearchParams } from "../datastores/types.ts";
import { fail } from "../errors.ts";
import type { DatastoreAt } from "../execution.ts";
import { type Fields, invalidIn, isFields, shown } from "./arguments.ts";
import { type Capability, defineOp, type Op, type OpCall, type Scope } from "./capability.ts";

interface StoreArgs {
  readonly store: string;
  readonly at: DatastoreAt;
}

/** What an op does with the file of the revision that the execution is at. */
type Read<A> = (ref: RevisionRef, args: A & StoreArgs, call: OpCall) => Promise<string>;

/** Longer results are read again at the same revision; shorter ones also replay where there is no datastore. */
const KEPT_CHARS = 65_536;

const invalid = invalidIn("datastore");

/** The revision at which the execution reads a datastore; CAPABILITY_DENIED says how to attach it. */
function attached(store: unknown, { datastores }: Scope): StoreArgs {
  if (typeof store !== "string") throw invalid("store", `must be the name of a datastore, got ${shown(store)}`);
  const at = Object.hasOwn(datastores, store) ? datastores[store] : undefined;
  if (at !== undefined) return { store, at };
  const name = shown(store);
  const message = `datastore: ${name} is not attached to this workflow, or did not exist when the execution began; attach it with config = { datastores: [${name}] }, with "datastores" at upload, or with weft deploy --datastore ${store.slice(0, 100)}=<file>`;
  throw fail("CAPABILITY_DENIED", { message, datastore: store });
}

function fieldsOf(args: unknown): Fields {
  if (isFields(args)) return args;
  throw invalid("the arguments", `must be an object, got ${shown(args)}`);
}

function optional(value: unknown, field: string): Fields | undefined {
  if (value === undefined || value === null) return undefined;
  if (isFields(value)) return value;
  throw invalid(field, `must be an object, got ${shown(value)}`);
}

const askingOf = ({ scope, signal }: OpCall): Asking => ({ accountId: scope.job.accountId, signal });

/** A read: `empty` is the answer of a datastore that has no records yet. */
function read<A extends object>(parse: (fields: Fields) => A, empty: (args: A) => string, run: Read<A>): Op {
  return defineOp<A & StoreArgs>({
    effect: "pure",
    kept: true,
    again: KEPT_CHARS,
    parse(args, scope) {
      const fields = fieldsOf(args);
      return { ...attached(fields["store"], scope), ...parse(fields) };
    },
    async run(args, call) {
      const { scope, services, hold } = call;
      const { base, revision } = args.at;
      const file = base === 0 ? null : services.datastores.fileOf(scope.job.accountId, args.at);
      const text = file === null ? empty(args) : await run({ file, revision }, args, call);
      hold(text.length * 2);
      return text;
    },
  });
}

function parseIds(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw invalid("ids", `must be a list of ids, got ${shown(value)}`);
  if (value.length > MAX_GET_IDS) throw invalid("ids", `has ${value.length} ids, over ${MAX_GET_IDS}`);
  return value.map((id, at) => {
    if (typeof id === "string" || typeof id === "number") return String(id);
    throw invalid(`ids.${at}`, `must be a text or a number, got ${shown(id)}`);
  });
}

const get = read(
  ({ ids }) => ({ ids: parseIds(ids) }),
  ({ ids }) => JSON.stringify(ids.map(() => null)),
  // In the worker's own thread: a few looks into an index, which is sooner done than asked for.
  async (ref, { ids }, { services }) =>
    `[${services.datastores.points
      .get(ref, ids)
      .map((text) => text ?? "null")
      .join()}]`,
);

const count = read(
  ({ filter }) => ({ filter: optional(filter, "filter") as SearchParams["filter"] }),
  () => "0",
  (ref, { filter }, call) => call.services.datastores.queries.count(ref, filter, askingOf(call)),
);

const scan = read(
  ({ params }) => ({ params: optional(params, "scan") ?? {} }),
  () => '{"records":[],"after":null}',
  (ref, { params }, call) => call.services.datastores.queries.scan(ref, params as ScanParams, askingOf(call)),
);

const search = read(
  ({ params }) => ({ params: optional(params, "search") ?? {} }),
  () => "[]",
  (ref, { params }, call) => call.services.datastores.queries.search(ref, params as SearchParams, askingOf(call)),
);

const query = read(
  ({ sql, params }) => {
    if (typeof sql !== "string") throw invalid("sql", `must be a text, got ${shown(sql)}`);
    if (params === undefined || params === null) return { sql };
    if (typeof params !== "object") throw invalid("params", `must be a list or an object, got ${shown(params)}`);
    return { sql, params: params as NonNullable<QueryParams["params"]> };
  },
  () => '{"columns":[],"rows":[]}',
  (ref, { store, sql, params }: { store: string; sql: string; params?: NonNullable<QueryParams["params"]> }, call) =>
    call.services.datastores.queries.query(
      ref,
      { name: store, sql, ...(params === undefined ? {} : { params }) },
      askingOf(call),
    ),
);

/** The vector of a search's text, by the model that made the datastore's own: that is a call that costs. */
const embed = defineOp<StoreArgs & { readonly query: string }>({
  effect: "outside",
  sends: true,
  parse(args, scope) {
    const { store, query: text } = fieldsOf(args);
    if (typeof text !== "string" || text.trim() === "")
      throw invalid("query", `must be a text that is not empty, got ${shown(text)}`);
    return { ...attached(store, scope), query: text };
  },
  async run({ at, store, query: text }, call) {
    const { scope, services, signal, idempotencyKey, spending } = call;
    if (at.base === 0) return "null";
    const ref = { file: services.datastores.fileOf(scope.job.accountId, at), revision: at.revision };
    const { vector } = (await services.datastores.queries.describe(ref, askingOf(call))).schema;
    if (vector === null) throw invalid("mode", `needs vectors, and ${shown(store)} has none`);
    if (vector.source === "data")
      throw invalid(
        "vector",
        `is needed: the vectors of ${shown(store)} come with its data, so a text cannot be made into one`,
      );
    const { model } = vector.source;
    const wanted = { model, texts: [text], dimensions: vector.dimensions, idempotencyKey, spending, signal };
    const { vectors } = await services.models.embed(wanted, call.meter);
    return JSON.stringify(vectors[0] ?? null);
  },
});

/** ctx.datastore: reads of the account's datastores, at the revision that the execution began with. */
export const datastore: Capability = {
  name: "datastore",
  ops: {
    "datastore.get": get,
    "datastore.count": count,
    "datastore.scan": scan,
    "datastore.search": search,
    "datastore.query": query,
    "datastore.embed": embed,
  },
  declaration: `  /** Records of the datastores that are attached to this workflow; an execution sees one revision from start to end. */
  readonly datastore: Datastore;`,
  doc: {
    member: "datastore.get, search, query, count, scan",
    sentence: "Reads attached datastores: by id, by keyword or vector, by SQL, one by one.",
    limits: ["datastoreMs", "maxDatastoreRows", "maxResultBytes"],
  },
};
