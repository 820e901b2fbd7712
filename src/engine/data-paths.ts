import { type CtxData, fail } from "../../runtime/index.ts";

const ROOTS = ["input", "messages", "params", "metadata", "env"] as const;
const MAX_DEPTH = 32;

function refuse(path: string, why: string): Error {
  return fail("INVALID_REQUEST", { message: `set: ${JSON.stringify(path)} ${why}`, param: "set" });
}

/** A copy of `value` with the member at `names` replaced; objects on the way are made where there are none. */
function withMember(value: unknown, names: readonly string[], next: unknown, path: string): unknown {
  const [name, ...rest] = names;
  if (name === undefined) return next;
  if (Array.isArray(value)) {
    const index = Number(name);
    if (!/^\d+$/.test(name) || index > value.length) throw refuse(path, `has no item ${JSON.stringify(name)}`);
    return value.toSpliced(index, 1, withMember(value[index], rest, next, path));
  }
  if (typeof value !== "object" || value === null) {
    if (value !== null && value !== undefined) throw refuse(path, "leads into a value that has no members");
    return Object.fromEntries([[name, withMember(undefined, rest, next, path)]]);
  }
  const own = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  // From entries: a member called __proto__ stays data.
  return Object.fromEntries([
    ...Object.entries(value).filter(([key]) => key !== name),
    [name, withMember(own, rest, next, path)],
  ]);
}

/** The data of a call with some values replaced, each named by a dotted path that begins with a member callers may send. */
export function setPaths(data: CtxData, set: Readonly<Record<string, unknown>>): CtxData {
  return Object.entries(set).reduce<CtxData>((before, [path, value]) => {
    const names = path.split(".");
    const root = ROOTS.find((known) => known === names[0]);
    if (root === undefined) throw refuse(path, `must begin with one of ${ROOTS.join(", ")}`);
    if (names.length > MAX_DEPTH) throw refuse(path, `is ${names.length} levels deep, over ${MAX_DEPTH}`);
    if (names.includes("")) throw refuse(path, "has an empty name");
    return withMember(before, names, value, path) as CtxData;
  }, data);
}
