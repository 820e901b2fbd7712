/** Query of a list. */
export interface PageQuery {
  readonly limit?: string;
  readonly offset?: string;
}

/** Largest page. */
export const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 25;

/** JSON Schema of the query. */
export const PAGE_SCHEMA = {
  type: "object",
  properties: {
    limit: { type: "string", pattern: "^[1-9]\\d{0,3}$", description: `1 to ${MAX_LIMIT}, default ${DEFAULT_LIMIT}` },
    offset: { type: "string", pattern: "^\\d{1,9}$" },
  },
} as const;

/** Limit and offset of a query, with defaults; a larger limit is cut to {@link MAX_LIMIT}. */
export function pageOf(query: PageQuery): { readonly limit: number; readonly offset: number } {
  return { limit: Math.min(MAX_LIMIT, Number(query.limit ?? DEFAULT_LIMIT)), offset: Number(query.offset ?? 0) };
}
