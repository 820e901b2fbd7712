import { fail } from "../../../../runtime/index.ts";
import type { Request } from "../dialect.ts";

type Fields = Readonly<Record<string, unknown>>;

/** True for an object that is no list. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value in a message, short. */
export function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return (JSON.stringify(value) ?? "nothing").slice(0, 100);
}

/** INVALID_REQUEST that names the field. */
export function refuse(field: string, rule: string, value: unknown): Error {
  return fail("INVALID_REQUEST", { message: `${field}: ${rule}, got ${shown(value)}`, param: field });
}

/** The body, which must be an object; an empty one is `{}` where that is allowed. */
export function bodyOf({ body }: Request, isOptional = false): Fields {
  if (isFields(body)) return body;
  if (isOptional && (body === undefined || body === null)) return {};
  throw refuse("body", "must be a JSON object", body);
}

/** A member that is a text; undefined where it is absent or null. */
export function optionalText(body: Fields, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw refuse(name, "must be a string", value);
}

/** A member that is a text with something in it. */
export function requiredText(body: Fields, name: string): string {
  const value = body[name];
  if (value === undefined || value === null || value === "")
    throw fail("INVALID_REQUEST", { message: `${name}: is required`, param: name });
  if (typeof value === "string" && value.trim() !== "") return value;
  throw refuse(name, "must be a string that is not empty", value);
}

/** A member that is true or false; `usual` where it is absent. */
export function flag(body: Fields, name: string, usual: boolean): boolean {
  const value = body[name] ?? usual;
  if (typeof value === "boolean") return value;
  throw refuse(name, "must be true or false", value);
}

/** A member that is an object; undefined where it is absent or null. */
export function optionalFields(body: Fields, name: string): Fields | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (isFields(value)) return value;
  throw refuse(name, "must be an object", value);
}

/** Milliseconds of a member in seconds; null where it is absent. */
export function secondsMember(body: Fields, name: string): number | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value === "number" && value > 0 && value <= 86_400) return Math.ceil(value * 1_000);
  throw refuse(name, "must be a number of seconds, over 0 and at most 86400", value);
}

/** A whole number in a query, cut to a range; `usual` where it is absent. */
export function queryNumber(
  request: Request,
  name: string,
  range: { readonly usual: number; readonly min: number; readonly max: number },
): number {
  const text = (request.query as Readonly<Record<string, unknown>>)[name];
  if (text === undefined || text === "") return range.usual;
  if (typeof text !== "string" || !/^-?\d{1,15}$/.test(text)) throw refuse(name, "must be an integer", text);
  return Math.min(range.max, Math.max(range.min, Number(text)));
}

/** A text in a query; null where it is absent. */
export function queryText(request: Request, name: string): string | null {
  const text = (request.query as Readonly<Record<string, unknown>>)[name];
  if (text === undefined || text === "") return null;
  if (typeof text === "string") return text;
  throw refuse(name, "must be given once", text);
}
