import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** What a user's SQL may call: functions of their arguments alone. `random` and the current time would differ on a replay. */
export const ALLOWED_FUNCTIONS: ReadonlySet<string> = new Set(
  words(`
  abs char coalesce concat concat_ws format glob hex ifnull iif if instr length like likelihood likely lower ltrim max min
  nullif octet_length printf quote replace round rtrim sign substr substring trim typeof unhex unicode unistr
  unistr_quote unlikely upper zeroblob
  avg count group_concat string_agg sum total median percentile percentile_cont percentile_disc
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi pow power
  radians sin sinh sqrt tan tanh trunc
  -> ->> json json_array json_array_length json_error_position json_extract json_group_array json_group_object json_insert
  json_object json_patch json_pretty json_quote json_remove json_replace json_set json_type json_valid
  date time datetime julianday unixepoch strftime timediff
`),
);

/** Functions of a time, and which of their arguments is the time. */
const OF_TIME: Readonly<Record<string, readonly number[]>> = {
  date: [0],
  time: [0],
  datetime: [0],
  julianday: [0],
  unixepoch: [0],
  strftime: [1],
  timediff: [0, 1],
};

// SQLite reads bytes as a text, and a text up to its first NUL.
function isNow(value: SQLOutputValue | undefined): boolean {
  if (value === undefined) return true;
  const text = value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value);
  return /^(now|subsec|subsecond)(\0|$)/i.test(text);
}

/**
 * Puts functions in front of SQLite's own that refuse the current time: a query is a function of revision and
 * parameters, so that its result may be cached and comes again on a replay.
 */
export function refuseCurrentTime(db: DatabaseSync): void {
  const own = new DatabaseSync(":memory:");
  for (const [name, places] of Object.entries(OF_TIME)) {
    const call = (...args: SQLOutputValue[]): SQLInputValue => {
      if (places.some((place) => isNow(args[place])))
        throw new Error(`${name}(): the current time is not available in a query; pass a time as a parameter`);
      const marks = args.map(() => "?").join(", ");
      return own.prepare(`SELECT ${name}(${marks}) AS value`).get(...args)?.["value"] ?? null;
    };
    db.function(name, { varargs: true, deterministic: true }, call);
  }
}
