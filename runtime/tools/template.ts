import { fail, type WorkflowError } from "../errors.ts";

/** What `{{…}}` may stand for in the texts of a tool. */
export interface TemplateValues {
  /** What the model gave. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

/** Fills templates; all that one filler puts in is bounded together. */
export interface Filler {
  /** Each `{{name}}` replaced by its text, changed by `as`; null when an argument that the text consists of was not given. */
  text(template: string, as?: (value: string) => string): string | null;
  /** A JSON value whose texts are templates: one that is a template alone becomes the value itself, and is left out when there is none. */
  json(template: unknown): unknown;
}

/** Says that an argument of the model does not fit: the model may try again. */
export class UnfitArgument extends Error {}

const HOLE = /\{\{\s*([^{}\s]{1,200})\s*\}\}/g;
const ONE_HOLE = /^\{\{\s*([^{}\s]{1,200})\s*\}\}$/;
const STORED = /^(secrets|env)\.(.+)$/;

const missing = (kind: "secrets" | "env", name: string): WorkflowError =>
  fail("INVALID_ARGUMENT", {
    message:
      kind === "secrets"
        ? `agents: a tool needs the secret ${JSON.stringify(name)}, which the call was not given`
        : `agents: a tool needs the variable ${JSON.stringify(name)}, which the workflow's env does not have`,
    field: `${kind}.${name}`,
  });

const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** True when the text has a `{{name}}` that the model fills. */
export function hasArguments(template: string): boolean {
  return [...template.matchAll(HOLE)].some(([, name = ""]) => !STORED.test(name));
}

class Filling implements Filler {
  readonly #values: TemplateValues;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(values: TemplateValues, maxBytes: number) {
    this.#values = values;
    this.#maxBytes = maxBytes;
  }

  text(template: string, as: (value: string) => string = (value) => value): string | null {
    const alone = ONE_HOLE.exec(template)?.[1];
    if (alone !== undefined && this.#value(alone) === undefined) return null;
    return template.replaceAll(HOLE, (_hole, name: string) => {
      const value = this.#value(name);
      if (value === undefined) throw new UnfitArgument(`the argument ${JSON.stringify(name)} is needed`);
      return this.#count(as(asText(value)));
    });
  }

  json(template: unknown): unknown {
    if (typeof template === "string") {
      const alone = ONE_HOLE.exec(template)?.[1];
      if (alone === undefined) return this.text(template);
      const value = this.#value(alone);
      if (value !== undefined) this.#count(asText(value));
      return value;
    }
    if (Array.isArray(template)) return template.map((item) => this.json(item) ?? null);
    if (typeof template !== "object" || template === null) return template;
    // JSON.stringify leaves out what is undefined.
    return Object.fromEntries(Object.entries(template).map(([name, item]) => [name, this.json(item)]));
  }

  /** Undefined when the model gave no such argument. */
  #value(name: string): unknown {
    const { args, secrets, env } = this.#values;
    const [, kind, key = ""] = STORED.exec(name) ?? [];
    if (kind === undefined) return Object.hasOwn(args, name) ? args[name] : undefined;
    const from = kind === "secrets" ? secrets : env;
    if (!Object.hasOwn(from, key)) throw missing(kind === "secrets" ? "secrets" : "env", key);
    return from[key];
  }

  #count(text: string): string {
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes <= this.#maxBytes) return text;
    const message = `agents: a tool's request is over ${this.#maxBytes} bytes (maxArgBytes) once its templates are filled`;
    throw fail("LIMIT_EXCEEDED", { message, limit: "maxArgBytes", value: this.#maxBytes });
  }
}

/** A filler for one request; throws INVALID_ARGUMENT for what is not stored, LIMIT_EXCEEDED over `maxBytes`, and {@link UnfitArgument}. */
export function createFiller(values: TemplateValues, maxBytes: number): Filler {
  return new Filling(values, maxBytes);
}

/** Header values, filled; one whose argument was not given is left out. */
export function fillHeaders(
  headers: Readonly<Record<string, string>>,
  filler: Filler,
): Readonly<Record<string, string>> {
  const clean = (value: string) => {
    if (/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) return value;
    throw new UnfitArgument("an argument that goes into a header has a line break or a character outside Latin-1");
  };
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, template]) => {
      const value = filler.text(template, clean);
      return value === null ? [] : [[name, value] as const];
    }),
  );
}
