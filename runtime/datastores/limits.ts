/** Numbers that datastores enforce and that no setting changes; the others are in `runtime/limits.ts`. */
export const MAX_ID_BYTES = 1_024;
/** Ids of one `get`. */
export const MAX_GET_IDS = 1_000;
/** Records of one search. */
export const MAX_TOP_K = 1_000;
/** Records that a search may leave out. */
export const MAX_OFFSET = 10_000;
/** Records of one page of a scan. */
export const MAX_PAGE = 1_000;
/** Values of one `$in`. */
export const MAX_IN_VALUES = 10_000;
/** Conditions of one filter. */
export const MAX_CONDITIONS = 100;
/** Characters of a search's query. */
export const MAX_QUERY_CHARS = 4_000;
/** Words of a search's query. */
export const MAX_QUERY_WORDS = 64;
/** Characters of a SQL text. */
export const MAX_SQL_CHARS = 100_000;
/** Bound values of a SQL text. */
export const MAX_SQL_PARAMS = 1_000;
/** Characters of a field's name. */
export const MAX_NAME_CHARS = 128;
/** Numbers of a vector. */
export const MAX_DIMENSIONS = 8_192;
/** Levels of nested JSON in a cell. */
export const MAX_DEPTH = 500;
/** Columns that keyword search looks at where nobody names any. */
export const MAX_FOUND_TEXT_FIELDS = 32;
/** Columns with an index. */
export const MAX_FILTERS = 64;
