type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What `{ "$name": argument }` asks of a value; a text is what is wrong. */
const MATCHERS: Readonly<Record<string, (value: unknown, argument: unknown) => boolean>> = {
  $any: () => true,
  $uuid: (value) => typeof value === "string" && UUID.test(value),
  $iso: (value) => typeof value === "string" && ISO.test(value),
  $number: (value) => typeof value === "number" && Number.isFinite(value),
  $string: (value) => typeof value === "string",
  $match: (value, pattern) => typeof value === "string" && new RegExp(String(pattern)).test(value),
  $gte: (value, least) => typeof value === "number" && value >= Number(least),
  $lte: (value, most) => typeof value === "number" && value <= Number(most),
  $near: (value, wanted) => typeof value === "number" && Math.abs(value - Number(wanted)) < 1e-9,
  $length: (value, length) => Array.isArray(value) && value.length === length,
  $keys: (value, keys) =>
    isFields(value) && JSON.stringify(Object.keys(value).sort()) === JSON.stringify([...(keys as string[])].sort()),
  $absent: () => false,
};

/** Says where a value differs from what was expected; null when it does not. Objects may have more members than expected, unless `$exact` says no. */
export function differenceOf(value: unknown, expected: unknown, path = "body"): string | null {
  if (isFields(expected)) return objectDifference(value, expected, path);
  if (Array.isArray(expected)) {
    if (!Array.isArray(value)) return `${path}: expected an array, got ${shown(value)}`;
    if (value.length !== expected.length) return `${path}: expected ${expected.length} elements, got ${shown(value)}`;
    return first(expected.map((one, i) => differenceOf(value[i], one, `${path}[${i}]`)));
  }
  return Object.is(value, expected) ? null : `${path}: expected ${shown(expected)}, got ${shown(value)}`;
}

function objectDifference(value: unknown, expected: Fields, path: string): string | null {
  const [name = ""] = Object.keys(expected);
  if (name === "$exact") {
    const wanted = expected["$exact"] as Fields;
    const keys = differenceOf(value, { $keys: Object.keys(wanted) }, path);
    return keys ?? differenceOf(value, wanted, path);
  }
  if (name === "$contains") return containsDifference(value, expected["$contains"], path);
  if (name.startsWith("$")) {
    const matcher = MATCHERS[name];
    if (matcher === undefined) throw new Error(`${path}: there is no matcher ${name}`);
    return matcher(value, expected[name]) ? null : `${path}: expected ${shown(expected)}, got ${shown(value)}`;
  }
  if (!isFields(value)) return `${path}: expected an object, got ${shown(value)}`;
  return first(
    Object.entries(expected).map(([key, one]) => {
      if (isFields(one) && "$absent" in one) return key in value ? `${path}.${key}: must not be there` : null;
      return key in value
        ? differenceOf(value[key], one, `${path}.${key}`)
        : `${path}.${key}: is missing in ${shown(value)}`;
    }),
  );
}

/** A text that contains a text, or an array that has an element like each of those expected. */
function containsDifference(value: unknown, expected: unknown, path: string): string | null {
  const isThere =
    typeof value === "string"
      ? value.includes(String(expected))
      : Array.isArray(value) &&
        (Array.isArray(expected) ? expected : [expected]).every((one) =>
          value.some((each) => differenceOf(each, one) === null),
        );
  return isThere ? null : `${path}: expected it to contain ${shown(expected)}, got ${shown(value)}`;
}

const first = (differences: readonly (string | null)[]): string | null =>
  differences.find((one) => one !== null) ?? null;
const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 600);
