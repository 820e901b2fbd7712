import { fail, type Limits, WorkflowError } from "../../../../runtime/index.ts";
import type { Multipart, MultipartFile, Request } from "../dialect.ts";

/** A file part of a form. */
export interface FormFile {
  readonly filename: string;
  readonly bytes: Uint8Array;
}

/** JSON Schema of a form: the types of its fields say how their texts are read. */
export interface FormSchema {
  readonly properties: Readonly<Record<string, object>>;
}

function typeOf({ properties }: FormSchema, name: string): unknown {
  const field = Object.hasOwn(properties, name) ? properties[name] : undefined;
  return field !== undefined && "type" in field ? field.type : undefined;
}

/** What a form may hold. */
export interface FormRules {
  readonly schema: FormSchema;
  readonly limits: Limits;
  /** Largest size in bytes of a file part, and the limit's name. */
  maxBytesOf(part: string): readonly [bytes: number, limit: string];
  /** Takes a file part somewhere else than into memory; null for one that it leaves. */
  take?(part: MultipartFile): Promise<object> | null;
}

const MAX_FIELDS = 64;
/** Script files beside the accessories. */
const MAX_SCRIPT_FILES = 100;
function invalid(param: string, message: string): Error {
  return fail("INVALID_REQUEST", { message: `${param}: ${message}`, param });
}

/** The error of a part that is too large. */
export function tooLarge(param: string, max: number, limit: string): Error {
  return fail("PAYLOAD_TOO_LARGE", { message: `${param}: over ${max} bytes (${limit})`, limit, value: max, param });
}

const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

function parseAs(name: string, text: string, type: unknown): unknown {
  if (type === "boolean") {
    if (text === "true" || text === "1") return true;
    if (text === "false" || text === "0") return false;
    throw invalid(name, `must be true or false, got ${shown(text)}`);
  }
  if (type === "number" || type === "integer") {
    const number = Number(text);
    if (text.trim() !== "" && Number.isFinite(number)) return number;
    throw invalid(name, `must be a number, got ${shown(text)}`);
  }
  if (type !== "object" && type !== "array") return text;
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(name, `must be JSON, got ${shown(text)}`);
  }
}

/** A field's text as the type of its schema says, empty being null where that is allowed; throws INVALID_REQUEST naming field and value. */
export function parseField(name: string, text: string, type: unknown): unknown {
  if (!Array.isArray(type)) return parseAs(name, text, type);
  const main: unknown = type.find((one) => one !== "null");
  return text === "" && type.includes("null") ? null : parseAs(name, text, main);
}

/** Bytes of one form that are in memory so far. */
class Total {
  readonly #max: number;
  #bytes = 0;

  constructor({ maxBodyBytes }: Limits) {
    this.#max = maxBodyBytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#max) throw tooLarge("form", this.#max, "maxBodyBytes");
  }
}

async function readPart(part: Multipart, { schema, maxBytesOf, take }: FormRules, total: Total): Promise<unknown> {
  const { fieldname } = part;
  if (part.type === "field") {
    const text = String(part.value);
    total.add(text.length);
    return parseField(fieldname, text, typeOf(schema, fieldname));
  }
  const taken = take?.(part) ?? null;
  if (taken !== null) return taken;
  const [max, limit] = maxBytesOf(fieldname);
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of part.file as AsyncIterable<Uint8Array>) {
    size += piece.byteLength;
    total.add(piece.byteLength);
    if (size > max) throw tooLarge(fieldname, max, limit);
    pieces.push(piece);
  }
  return { filename: part.filename, bytes: Buffer.concat(pieces, size) } satisfies FormFile;
}

type Values = ReadonlyMap<string, readonly unknown[]>;

async function readParts(request: Request, rules: FormRules): Promise<Values> {
  const { limits } = rules;
  const total = new Total(limits);
  const values = new Map<string, unknown[]>();
  const parts = request.parts({
    preservePath: true,
    limits: {
      fields: MAX_FIELDS,
      files: limits.maxAccessories + MAX_SCRIPT_FILES,
      fieldSize: limits.maxBodyBytes,
      fileSize: Math.max(limits.maxAccessoryBytes, limits.maxScriptBytes, limits.maxImportBytes) + 1,
    },
  });
  for await (const part of parts) {
    const { fieldname } = part;
    if (part.type === "field" && part.valueTruncated) throw tooLarge(fieldname, limits.maxBodyBytes, "maxBodyBytes");
    const value = await readPart(part, rules, total);
    values.set(fieldname, [...(values.get(fieldname) ?? []), value]);
  }
  return values;
}

/** Errors of the form's parser that say nothing about their kind mean broken bytes. */
function toFormError(cause: unknown): unknown {
  if (cause instanceof WorkflowError || !(cause instanceof Error) || "statusCode" in cause) return cause;
  return fail("INVALID_REQUEST", { message: `form: ${cause.message}`, param: null }, cause);
}

/**
 * Reads a multipart form: fields by the type their schema has, files as {@link FormFile}; a name that comes more than
 * once, or whose schema is an array of files, becomes an array. Throws INVALID_REQUEST and PAYLOAD_TOO_LARGE.
 */
export async function readForm(request: Request, rules: FormRules): Promise<Readonly<Record<string, unknown>>> {
  const values = await readParts(request, rules).catch((cause: unknown) => {
    throw toFormError(cause);
  });
  const isList = (name: string, all: readonly unknown[]) =>
    all.length > 1 || (typeOf(rules.schema, name) === "array" && !Array.isArray(all[0]));
  return Object.fromEntries([...values].map(([name, all]) => [name, isList(name, all) ? all : all[0]]));
}
