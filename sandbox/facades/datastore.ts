import { call } from "../call.ts";
import { asyncIterator, isArray, resolved, then } from "../primordials.ts";

interface SearchParams {
  readonly query?: unknown;
  readonly vector?: unknown;
  readonly mode?: unknown;
}

interface Page {
  readonly records: readonly unknown[];
  readonly after: number | null;
}

interface ScanOptions {
  readonly filter?: unknown;
  readonly fields?: unknown;
  readonly batch?: unknown;
}

async function get(store: unknown, ids: unknown): Promise<unknown> {
  if (isArray(ids)) return call("datastore.get", { store, ids });
  return ((await call("datastore.get", { store, ids: [ids] })) as readonly unknown[])[0];
}

async function search(store: unknown, query: unknown, options?: SearchParams | null): Promise<unknown> {
  const params: SearchParams =
    typeof query === "object" && query !== null ? { ...query, ...options } : { ...options, query };
  const isByVector = params.mode === "vector" || params.mode === "hybrid";
  if (!isByVector || (params.vector ?? null) !== null) return call("datastore.search", { store, params });
  const vector = await call("datastore.embed", { store, query: params.query });
  return call("datastore.search", { store, params: vector === null ? params : { ...params, vector } });
}

async function query(store: unknown, sql: unknown, params?: unknown): Promise<unknown> {
  return ((await call("datastore.query", { store, sql, params })) as { readonly rows: unknown }).rows;
}

/** The records one at a time; the next page is asked for when the last record of one has been taken. */
function scan(store: unknown, options?: ScanOptions | null): object {
  let page: readonly unknown[] = [];
  let at = 0;
  let after: number | null | undefined;
  let last: Promise<unknown> = resolved(undefined);
  const step = async (): Promise<object> => {
    while (at >= page.length) {
      if (after === null) return { done: true, value: undefined };
      const { filter, fields, batch: limit } = options ?? {};
      const found = (await call("datastore.scan", { store, params: { filter, fields, limit, after } })) as Page;
      page = found.records;
      after = found.after;
      at = 0;
    }
    return { done: false, value: page[at++] };
  };
  const iterator = {
    next(): Promise<object> {
      const next = then(last, step) as Promise<object>;
      // Whoever asks for several at once gets them in order, also after one that failed.
      last = then(next, undefined, () => undefined);
      return next;
    },
    async return(value?: unknown): Promise<object> {
      page = [];
      after = null;
      return { done: true, value };
    },
    [asyncIterator]: () => iterator,
  };
  return iterator;
}

/** ctx.datastore. */
export function createDatastore(): object {
  const count = (store: unknown, filter?: unknown) => call("datastore.count", { store, filter });
  return { get, search, query, count, scan };
}
