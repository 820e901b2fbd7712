/** A member that may be read: own ones of objects, indexes of arrays and texts. */
function member(value: unknown, name: unknown): unknown {
  if (typeof name !== "string" && typeof name !== "number") return undefined;
  if (typeof value === "string")
    return typeof name === "number" ? value[name] : name === "length" ? value.length : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value) && name === "length") return value.length;
  return Object.hasOwn(value, name) ? (value as Record<string | number, unknown>)[name] : undefined;
}

/** The value at a path of own members; undefined where there is none. */
export function look(value: unknown, ...path: readonly unknown[]): unknown {
  let at = value;
  for (const name of path) at = member(at, name);
  return at;
}

/** The value at a path of own members; null where there is none. */
export function at(value: unknown, ...path: readonly unknown[]): unknown {
  return look(value, ...path) ?? null;
}

const isAnswer = (value: object): value is { readonly response: string } => {
  const { response } = value as { readonly response?: unknown };
  return typeof response === "string" && Object.keys(value).length === 1;
};

/** What an expression compares: the answer of a model is its text. */
export function bare(value: unknown): unknown {
  return typeof value === "object" && value !== null && isAnswer(value) ? value.response : value;
}

/** A value within a text: texts as they are, the answer of a model as its text, other objects as JSON, nothing as nothing. */
export function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  return isAnswer(value) ? value.response : JSON.stringify(value);
}

/** A value within a text that keeps the reference itself where there is no value. */
export function textOr(value: unknown, reference: string): string {
  return value === undefined ? reference : text(value);
}

/** A whole value that keeps the reference itself where there is none. */
export function valueOr(value: unknown, reference: string): unknown {
  return value === undefined ? reference : value;
}

/** What counts as true: everything but false, null, 0, NaN, and empty texts and lists. */
export function truthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** What leads to a node: the value of the one node before it (or that member of it), of several by their ids. */
export function gathered(upstream: Readonly<Record<string, unknown>>, name?: string): unknown {
  const ids = Object.keys(upstream);
  const read = (id: string) => (name === undefined ? upstream[id] : at(upstream[id], name));
  return ids.length === 1 ? read(ids[0] as string) : Object.fromEntries(ids.map((id) => [id, read(id)]));
}
