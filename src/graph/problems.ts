import { fail, type WorkflowError } from "../../runtime/index.ts";
import type { GraphProblem } from "./types.ts";

/** Problems that one error lists. */
const MAX_PROBLEMS = 100;

/** What is wrong with a document, and what is only strange; all of it at once. */
export class Problems {
  readonly errors: GraphProblem[] = [];
  readonly warnings: GraphProblem[] = [];

  add(path: string, message: string): void {
    this.errors.push({ path, message });
  }

  warn(path: string, message: string): void {
    this.warnings.push({ path, message });
  }
}

/** The error of a document; its message begins with the first problem. */
export function invalidGraph(problems: readonly GraphProblem[]): WorkflowError {
  const shown = problems.slice(0, MAX_PROBLEMS);
  const [first] = shown;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const message = first === undefined ? "graph: is not valid" : `${first.path}: ${first.message}${more}`;
  return fail("INVALID_WORKFLOW_SCHEMA", { message, problems: shown });
}

/** A value in a message, short. */
export function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return (JSON.stringify(value) ?? typeof value).slice(0, 100);
}
