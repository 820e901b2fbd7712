import { type CtxData, fail } from "../../runtime/index.ts";

const ROOTS = ["input", "messages", "params", "metadata", "env"] as const;
const MAX_DEPTH = 32;

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const isRecord = (value: unknown): value is object => isObject(value) && !Array.isArray(value);

/** What callers may send there. */
const SHAPES = {
  messages: ["a list of objects", (value: unknown) => Array.isArray(value) && value.every(isRecord)],
  params: ["an object", isRecord],
  metadata: ["an object", isRecord],
  env: [
    "an object of texts",
    (value: unknown) => isRecord(value) && Object.values(value).every((text) => typeof text === "string"),
  ],
} as const;

function refuse(path: string, why: string): Error {
  return fail("INVALID_REQUEST", { message: `set: ${JSON.stringify(path)} ${why}`, param: "set" });
}

/** Where a name leads in a list; the end of the list is a place, too. */
function indexIn(list: readonly unknown[], name: string, path: string): number {
  const index = Number(name);
  if (/^\d+$/.test(name) && index <= list.length) return index;
  throw refuse(path, `has no item ${JSON.stringify(name)}`);
}

function read(holder: object, name: string, path: string): unknown {
  if (Array.isArray(holder)) return holder[indexIn(holder, name, path)];
  return Object.hasOwn(holder, name) ? (holder as Readonly<Record<string, unknown>>)[name] : undefined;
}

function write(holder: object, name: string, value: unknown, path: string): void {
  if (Array.isArray(holder)) holder[indexIn(holder, name, path)] = value;
  // Defined, not assigned: a member called __proto__ stays data.
  else Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Puts a value where a path leads; objects on the way are made where there are none. */
function setMember(data: object, names: readonly string[], value: unknown, path: string): void {
  let holder = data;
  for (const name of names.slice(0, -1)) {
    let next = read(holder, name, path);
    if (next === null || next === undefined) {
      next = {};
      write(holder, name, next, path);
    }
    if (!isObject(next)) throw refuse(path, "leads into a value that has no members");
    holder = next;
  }
  write(holder, names.at(-1) ?? "", value, path);
}

function namesOf(path: string): readonly string[] {
  const names = path.split(".");
  if (!ROOTS.some((known) => known === names[0])) throw refuse(path, `must begin with one of ${ROOTS.join(", ")}`);
  if (names.length > MAX_DEPTH) throw refuse(path, `is ${names.length} levels deep, over ${MAX_DEPTH}`);
  if (names.includes("")) throw refuse(path, "has an empty name");
  return names;
}

/** A copy of a call's data with some values replaced, each named by a dotted path that begins with a member callers may send. */
export function setPaths(data: CtxData, set: Readonly<Record<string, unknown>>): CtxData {
  const paths = Object.entries(set);
  if (paths.length === 0) return data;
  // One copy for all: a copy per path would take long with many of them.
  const copy = structuredClone(data);
  for (const [path, value] of paths) setMember(copy, namesOf(path), structuredClone(value), path);
  for (const [name, [what, fits]] of Object.entries(SHAPES))
    if (!fits(copy[name as keyof typeof SHAPES])) throw refuse(name, `must stay ${what}`);
  return copy;
}
