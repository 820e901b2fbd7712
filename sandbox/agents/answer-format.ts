import { problemText, type SchemaProblem, schemaProblems } from "./json-schema.ts";
import { type AgentDoor, isFields, shown, textOf } from "./types.ts";

/** What the last answer of a conversation must be. */
export interface AnswerFormat {
  /** JSON Schema; null: any JSON object. */
  readonly schema: unknown;
}

/** An answer that is as it must be, or what is wrong with it, for the model. */
export type Checked =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | { readonly ok: false; readonly problem: string };

/** The format that a `response_format` asks for; null: text. Throws INVALID_ARGUMENT. */
export function parseFormat(door: AgentDoor, value: unknown): AnswerFormat | null {
  if (value === undefined || value === null) return null;
  const type = isFields(value) ? value["type"] : undefined;
  if (type === "text") return null;
  if (type === "json_object") return { schema: null };
  const json = isFields(value) ? value["json_schema"] : undefined;
  const schema = type === "json_schema" && isFields(json) ? json["schema"] : undefined;
  if (isFields(schema)) return { schema };
  const message = `response_format: must be { type: "json_schema", json_schema: { name, schema } }, { type: "json_object" } or { type: "text" }, got ${shown(value)}`;
  throw door.error("INVALID_ARGUMENT", message);
}

/** Models like to wrap JSON in a code block. */
function unwrapped(text: string): string {
  return /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(text)?.[1] ?? text.trim();
}

function problemsOf(door: AgentDoor, schema: unknown, value: unknown): readonly SchemaProblem[] {
  try {
    return schemaProblems(schema, value);
  } catch (thrown) {
    const why = textOf(thrown, "message") ?? typeof thrown;
    throw door.error("INVALID_ARGUMENT", `response_format: json_schema.schema cannot be used: ${why}`);
  }
}

/** Looks at an answer; throws INVALID_ARGUMENT for a schema that is none. */
export function checkAnswer(door: AgentDoor, format: AnswerFormat, content: string): Checked {
  const text = unwrapped(content);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return { ok: false, problem: `it is not JSON (${cause instanceof Error ? cause.message : "unreadable"})` };
  }
  if (format.schema === null) {
    return isFields(value) ? { ok: true, value, text } : { ok: false, problem: "it is not a JSON object" };
  }
  const problems = problemsOf(door, format.schema, value);
  return problems.length === 0 ? { ok: true, value, text } : { ok: false, problem: problemText(problems) };
}

/** What the model is told of an answer that is not as it must be. */
export const repairText = (problem: string): string =>
  `Your answer is not valid: ${problem}. Answer again with the corrected JSON alone.`;
