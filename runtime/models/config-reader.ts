import type { WorkflowError } from "../errors.ts";

/** Makes the error for the member at `path`. */
export type Complain = (path: string, why: string) => WorkflowError;

/** Reads the members of one JSON object, each once; `end` refuses those nobody read. Absent members read as null. */
export interface Reader {
  readonly path: string;
  text(name: string): string | null;
  number(name: string, min: number, max: number): number | null;
  boolean(name: string): boolean | null;
  object(name: string): Reader | null;
  /** Name → non-empty text; empty when absent. */
  texts(name: string): Readonly<Record<string, string>>;
  /** Name → object, read by `parse`; empty when absent. */
  map<T>(name: string, parse: (entry: Reader) => T): Readonly<Record<string, T>>;
  end(): void;
}

/** A reader of `value`, whose members are named from `path` on in errors. */
export function createReader(value: unknown, path: string, complain: Complain): Reader {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw complain(path === "" ? "the file" : path, "must be an object");
  }
  const left = new Map(Object.entries(value));
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  const take = (name: string): unknown => {
    const member = left.get(name) ?? null;
    left.delete(name);
    return member;
  };
  const object = (name: string): Reader | null => {
    const member = take(name);
    return member === null ? null : createReader(member, at(name), complain);
  };
  const entries = <T>(name: string, parse: (members: Reader, key: string) => T): Readonly<Record<string, T>> => {
    const member = take(name);
    if (member === null) return {};
    const members = createReader(member, at(name), complain);
    return Object.fromEntries(Object.keys(member as object).map((key) => [key, parse(members, key)]));
  };
  const text = (name: string): string | null => {
    const member = take(name);
    if (member === null) return null;
    if (typeof member !== "string" || member === "") throw complain(at(name), "must be a non-empty text");
    return member;
  };
  return {
    path,
    text,
    object,
    number(name, min, max) {
      const member = take(name);
      if (member === null) return null;
      if (typeof member === "number" && member >= min && member <= max) return member;
      throw complain(at(name), `must be a number from ${min} to ${max}`);
    },
    boolean(name) {
      const member = take(name);
      if (member === null || typeof member === "boolean") return member;
      throw complain(at(name), "must be true or false");
    },
    texts: (name) =>
      entries(name, (members, key) => {
        const member = members.text(key);
        if (member === null) throw complain(`${at(name)}.${key}`, "must be a non-empty text");
        return member;
      }),
    map: (name, parse) =>
      entries(name, (members, key) => {
        const member = members.object(key);
        if (member === null) throw complain(`${at(name)}.${key}`, "must be an object");
        return parse(member);
      }),
    end() {
      const unknown = left.keys().next().value;
      if (unknown !== undefined) throw complain(at(unknown), "is not a known field");
    },
  };
}
