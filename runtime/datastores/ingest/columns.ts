import { MAX_NAME_CHARS } from "../limits.ts";
import { badInput, type Place } from "./problem.ts";
import type { IngestLimits } from "./types.ts";

/** Throws when a name cannot be that of a column. */
export function checkColumnName(name: string, place: Place): void {
  if (name.length > MAX_NAME_CHARS) {
    const limit = { name: "maxNameChars", value: MAX_NAME_CHARS };
    throw badInput(place, { problem: "the name of the column is too long", value: name, limit });
  }
  if (name === "__proto__") throw badInput(place, { problem: "a column cannot have this name", value: name });
}

/** Throws when there are more columns than a datastore may have. */
export function checkColumnCount(count: number, place: Place, limits: IngestLimits): void {
  if (count <= limits.maxDatastoreColumns) return;
  const limit = { name: "maxDatastoreColumns", value: limits.maxDatastoreColumns };
  throw badInput(place, { problem: `there are too many columns, ${count} so far`, limit });
}

/**
 * The names of a table's columns: trimmed, `column_N` where there is none. Two columns of one name (also if only their
 * case differs, as SQL sees it) are an error that names both.
 */
export function toColumnNames(raw: readonly string[], place: Place, limits: IngestLimits): readonly string[] {
  checkColumnCount(raw.length, place, limits);
  const names = raw.map((name, at) => (name.trim() === "" ? `column_${at + 1}` : name.trim()));
  const seen = new Map<string, number>();
  for (const [at, name] of names.entries()) {
    checkColumnName(name, { ...place, column: at + 1 });
    const before = seen.get(name.toLowerCase());
    if (before !== undefined) {
      throw badInput(place, { problem: `columns ${before + 1} and ${at + 1} have the same name`, value: name });
    }
    seen.set(name.toLowerCase(), at);
  }
  return names;
}

/** Columns of objects, in the order in which they first appear. */
export class FoundColumns {
  readonly #limits: IngestLimits;
  readonly #index = new Map<string, number>();
  readonly #names: string[] = [];

  constructor(limits: IngestLimits) {
    this.#limits = limits;
  }

  get names(): readonly string[] {
    return [...this.#names];
  }

  /** The members of an object as cells; `place` says where a new column that is not allowed stands. */
  toCells(object: object, place: () => Place): unknown[] {
    const cells: unknown[] = new Array(this.#names.length).fill(null);
    for (const [name, value] of Object.entries(object)) {
      const at = this.#index.get(name) ?? this.#add(name, place);
      // A later column of this very object lengthens the array by itself.
      while (cells.length < at) cells.push(null);
      cells[at] = value;
    }
    return cells;
  }

  #add(name: string, place: () => Place): number {
    checkColumnName(name, place());
    if (name === "") throw badInput(place(), { problem: "expected a name, a member of the object has none" });
    checkColumnCount(this.#names.length + 1, place(), this.#limits);
    this.#index.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }
}
