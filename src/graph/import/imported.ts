import type { Fields } from "../types.ts";

/** Something of a foreign workflow that was not taken over as it was. */
export interface Unmapped {
  /** Its name there. */
  readonly node: string;
  readonly type: string;
  readonly why: string;
}

/** A foreign workflow as a draft of the SolCognia form. */
export interface Imported {
  readonly name: string;
  readonly description: string;
  readonly document: {
    readonly nodes: readonly Fields[];
    readonly connections: readonly Fields[];
    readonly settings: Fields;
  };
  readonly unmapped: readonly Unmapped[];
}

/** A text that is no export of the product, or cannot be read; the message says why. */
export class ImportError extends Error {}

/** True for an object that is no list. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The objects of a list; none where it is no list. */
export const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

/** A text; empty where it is none. */
export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** A member of a value, by a path; undefined where there is none. */
export function memberOf(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at = value;
  for (const name of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string | number, unknown>)[name];
  }
  return at;
}

/** Gives nodes ids that graphs may have: letters, digits and underscores of their names, each once. */
export class Ids {
  readonly #byName = new Map<string, string>();
  readonly #taken = new Set<string>([
    "input",
    "inputs",
    "context",
    "variables",
    "nodes",
    "constructor",
    "prototype",
    "secrets",
    "env",
    "execution",
    "workflow",
  ]);

  /** The id of the node of that name; the same for the same name. */
  of(name: string, wish = name): string {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const plain = wish
      .normalize("NFKD")
      .replaceAll(/[^A-Za-z0-9]+/g, "_")
      .replaceAll(/^_+|_+$/g, "")
      .slice(0, 60)
      .toLowerCase();
    const base = plain === "" || /^\d/.test(plain) ? `node_${plain}` : plain;
    let id = base;
    for (let number = 2; this.#taken.has(id); number++) id = `${base}_${number}`;
    this.#taken.add(id);
    this.#byName.set(name, id);
    return id;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }
}

/** Where a node is drawn. */
export function positionOf(value: unknown): Fields {
  const [x, y] = Array.isArray(value) ? value : [memberOf(value, "x"), memberOf(value, "y")];
  return typeof x === "number" && typeof y === "number" ? { position: { x, y } } : {};
}
