import { asNumber, asRecord, asRecords, asText, type JsonRecord } from "./json.ts";
import type { Terminal } from "./terminal.ts";

/** One error of a script, where the author can find it; line and column count from 1, 0 = unknown. */
export interface Problem {
  readonly message: string;
  readonly file: string | null;
  readonly line: number;
  readonly column: number;
  readonly lineText: string | null;
}

function toProblem(raw: JsonRecord): Problem {
  const line = asNumber(raw["line"]) ?? 0;
  // The bundler counts columns from 0; people and editors count from 1.
  const column = line === 0 ? 0 : (asNumber(raw["column"]) ?? 0) + 1;
  const message = asText(raw["message"]) ?? asText(raw["text"]) ?? "The script has an error.";
  return { message, file: asText(raw["file"]), line, column, lineText: asText(raw["lineText"] ?? raw["line_text"]) };
}

/** The problems of a script in `details` of an error, or in the `errors` of a validation; those of data have a path and are none. */
export function toProblems(details: unknown): readonly Problem[] {
  const list = asRecords(Array.isArray(details) ? details : asRecord(details)["problems"]);
  return list.some((raw) => "path" in raw) ? [] : list.map(toProblem);
}

/** `file:line:column`, as far as known. */
export function placeOf(problem: Problem): string {
  const file = problem.file ?? "script";
  return problem.line === 0 ? file : `${file}:${problem.line}:${problem.column}`;
}

function frame(problem: Problem, terminal: Terminal): readonly string[] {
  if (problem.line === 0 || !problem.lineText) return [];
  const gutter = ` ${problem.line} | `;
  const before = problem.lineText.slice(0, Math.max(0, problem.column - 1)).replace(/[^\t]/g, " ");
  return [
    `${terminal.dim(gutter)}${problem.lineText}`,
    `${" ".repeat(gutter.length - 2)}${terminal.dim("| ")}${before}${terminal.red("^")}`,
  ];
}

/** The problem as lines: place and message, then the source line with a caret under the column. */
export function problemLines(problem: Problem, terminal: Terminal): readonly string[] {
  const place = placeOf(problem);
  // Some messages already begin with their place.
  const message = problem.message.replace(/^[^\s:]+:\d+:\d+:\s*/, "");
  return [`${terminal.bold(place)}: ${message}`, ...frame(problem, terminal)];
}
