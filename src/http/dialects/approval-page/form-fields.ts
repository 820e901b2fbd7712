import { toJsonSchema } from "../../../engine/schema.ts";

/** A field that a form can show. */
export interface FormField {
  readonly key: string;
  readonly label: string;
  readonly hint: string;
  readonly type: "string" | "number" | "integer" | "boolean" | "enum";
  /** Choices of an `enum`. */
  readonly choices: readonly unknown[];
  readonly required: boolean;
}

type Schema = Readonly<Record<string, unknown>>;

/** More fields are asked for as JSON. */
const MAX_FIELDS = 30;
const MAX_CHOICES = 100;
const TYPES = ["string", "number", "integer", "boolean"] as const;

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const isPlain = (value: unknown): boolean => value === null || typeof value !== "object";

function toField(key: string, schema: unknown, required: boolean): FormField | null {
  if (!isObject(schema)) return null;
  const choices = Array.isArray(schema["enum"]) ? (schema["enum"] as readonly unknown[]) : [];
  const known = TYPES.find((type) => type === schema["type"]);
  const isEnum = choices.length > 0 && choices.length <= MAX_CHOICES && choices.every(isPlain);
  const type = isEnum ? "enum" : choices.length === 0 ? known : undefined;
  if (type === undefined) return null;
  return { key, label: textOf(schema["title"]) || key, hint: textOf(schema["description"]), type, choices, required };
}

/** The fields of an object schema (or field map) whose members are all simple; null when only JSON can say what it asks for. */
export function toFormFields(raw: unknown): readonly FormField[] | null {
  const schema = toJsonSchema(raw);
  if (!isObject(schema) || schema["type"] !== "object" || !isObject(schema["properties"])) return null;
  const required = Array.isArray(schema["required"]) ? (schema["required"] as readonly unknown[]) : [];
  const members = Object.entries(schema["properties"]);
  const fields = members.map(([key, member]) => toField(key, member, required.includes(key)));
  if (fields.length === 0 || fields.length > MAX_FIELDS) return null;
  return fields.every((field) => field !== null) ? fields : null;
}

function parseValue({ type, required }: FormField, text: string | undefined): unknown {
  if (type === "boolean") return text === "true";
  if (text === undefined || (text === "" && !(type === "string" && required))) return undefined;
  if (type === "string") return text;
  // What is no number or choice stays a text, so that the check against the schema names the field.
  const value = type === "enum" ? parseJson(text) : Number(text.trim() === "" ? Number.NaN : text);
  return value === undefined || Number.isNaN(value) ? text : value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The data that a filled-in form means, given how its fields were named. */
export function toFormData(fields: readonly FormField[], read: (key: string) => string | undefined): object {
  const values = fields.map((field) => [field.key, parseValue(field, read(field.key))] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}
