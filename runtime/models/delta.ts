type Json = Record<string, unknown>;

/** Texts that arrive whole; all other texts of a delta arrive in pieces to be appended. */
const WHOLE: ReadonlySet<string> = new Set(["role", "id", "type", "name"]);

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The element that continues `piece`: the one of the same `index`. Pieces without an index are whole elements. */
function siblingOf(list: readonly unknown[], piece: unknown): Json | null {
  if (!isObject(piece) || typeof piece["index"] !== "number") return null;
  const { index } = piece;
  return list.filter(isObject).find((each) => each["index"] === index) ?? null;
}

function mergeList(target: unknown, pieces: readonly unknown[]): unknown[] {
  const list: unknown[] = Array.isArray(target) ? target : [];
  for (const piece of pieces) {
    const sibling = siblingOf(list, piece);
    if (sibling !== null && isObject(piece)) mergeDelta(sibling, piece);
    else list.push(isObject(piece) ? mergeDelta({}, piece) : piece);
  }
  return list;
}

function mergePiece(known: unknown, name: string, piece: unknown): unknown {
  if (piece === null || piece === undefined) return known;
  if (typeof piece === "string") return typeof known === "string" && !WHOLE.has(name) ? known + piece : piece;
  if (Array.isArray(piece)) return mergeList(known, piece);
  return isObject(piece) ? mergeDelta(isObject(known) ? known : {}, piece) : piece;
}

/** Adds one streamed delta to what has been gathered, in place; works for any field, known or not. */
export function mergeDelta(target: Json, delta: Readonly<Record<string, unknown>>): Json {
  for (const [name, piece] of Object.entries(delta)) {
    const value = mergePiece(Object.hasOwn(target, name) ? target[name] : null, name, piece);
    // Not by assignment: a field named __proto__ must stay a field.
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return target;
}

/** Thrown when a repeated stream is not the one seen before. */
export class DeltaDiffers extends Error {}

function cutText(rest: Json, name: string, piece: string): string | null {
  const seen = rest[name];
  if (typeof seen !== "string" || seen === "") return WHOLE.has(name) && seen === "" ? null : piece;
  if (WHOLE.has(name)) {
    // Ids are drawn anew for every answer; the first one stays valid.
    if (name !== "id" && seen !== piece) throw new DeltaDiffers(name);
    rest[name] = name === "id" ? "" : seen;
    return null;
  }
  const length = Math.min(seen.length, piece.length);
  if (seen.slice(0, length) !== piece.slice(0, length)) throw new DeltaDiffers(name);
  rest[name] = seen.slice(length);
  return piece.slice(length);
}

function cutList(rest: unknown[], pieces: readonly unknown[]): unknown[] {
  return pieces.flatMap((piece) => {
    if (!isObject(piece) || typeof piece["index"] !== "number") {
      if (rest.length === 0) return [piece];
      if (JSON.stringify(rest.shift()) !== JSON.stringify(piece)) throw new DeltaDiffers("list");
      return [];
    }
    const sibling = siblingOf(rest, piece);
    if (sibling === null) return [piece];
    const { index, ...left } = cutDelta(sibling, piece);
    return Object.keys(left).length === 0 ? [] : [{ index, ...left }];
  });
}

/** What of one field goes beyond what was seen; undefined when nothing does. */
function cutPiece(rest: Json, name: string, piece: unknown): unknown {
  const seen = rest[name];
  if (typeof piece === "string") return cutText(rest, name, piece) || undefined;
  if (Array.isArray(piece)) {
    const list = Array.isArray(seen) ? cutList(seen, piece) : piece;
    return list.length > 0 ? list : undefined;
  }
  if (isObject(piece)) {
    const object = isObject(seen) ? cutDelta(seen, piece) : piece;
    return Object.keys(object).length > 0 ? object : undefined;
  }
  return name === "index" ? piece : undefined;
}

/** What of a delta goes beyond `rest` (gathered before), which is used up in place; throws DeltaDiffers when they disagree. */
export function cutDelta(rest: Json, delta: Readonly<Record<string, unknown>>): Json {
  return Object.fromEntries(
    Object.entries(delta)
      .map(([name, piece]): [string, unknown] => [
        name,
        Object.hasOwn(rest, name) ? cutPiece(rest, name, piece) : piece,
      ])
      .filter(([, left]) => left !== undefined),
  );
}

/** True when nothing gathered before is still missing from the repeated stream. */
export function isUsedUp(rest: unknown, name = ""): boolean {
  if (typeof rest === "string") return rest === "" || WHOLE.has(name);
  if (Array.isArray(rest)) return rest.every((each) => isUsedUp(each));
  return !isObject(rest) || Object.entries(rest).every(([key, value]) => isUsedUp(value, key));
}
