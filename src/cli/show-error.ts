import { type Details, toWorkflowError } from "../../runtime/index.ts";
import { exitCode, exitOf } from "./exit.ts";
import type { Io } from "./io.ts";
import { asNumber, asRecord, asText } from "./json.ts";
import { type Problem, problemLines, toProblems } from "./problem.ts";
import type { LocalFile } from "./sources.ts";
import type { Terminal } from "./terminal.ts";

/** Where and how an error is shown; `sources` let it quote the line of a script. */
export interface ErrorView {
  readonly io: Io;
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly sources?: readonly LocalFile[];
}

function thrownAt(details: Details, message: string, sources: readonly LocalFile[]): Problem | null {
  const facts = asRecord(details["details"]);
  const line = asNumber(facts["line"]);
  // A line of data, which the message names, is none of the script.
  if (line === null || "format" in facts) return null;
  const file = asText(facts["file"]);
  const source = sources.find((candidate) => candidate.path === file) ?? sources[0];
  return {
    message,
    file,
    line,
    column: asNumber(facts["column"]) ?? 1,
    lineText: source?.text.split("\n")[line - 1] ?? null,
  };
}

function textLines(message: string, details: Details, view: ErrorView): readonly string[] {
  const { terminal, sources = [] } = view;
  const cross = terminal.red("✗");
  const problems = toProblems(details["details"]);
  if (problems.length > 0)
    return problems
      .flatMap((problem) => problemLines(problem, terminal))
      .map((line, index) => (index === 0 ? `${cross} ${line}` : line));
  const place = thrownAt(details, message, sources);
  const lines = place === null ? [message] : problemLines(place, terminal);
  const code = asText(details["code"]);
  const request = asText(details["request_id"]);
  const facts = [...(code === null ? [] : [code]), ...(request === null ? [] : [`request ${request}`])].join(" · ");
  return [`${cross} ${lines[0] ?? message}`, ...lines.slice(1), ...(facts === "" ? [] : [terminal.dim(`  ${facts}`)])];
}

/** Writes an error to stderr, for a person or as `{"error": …}`, and returns the exit code it means. */
export function showError(thrown: unknown, view: ErrorView): number {
  const error = toWorkflowError(thrown);
  const exit = exitOf(error);
  // INTERNAL hides its cause from callers of the server; on the command line the cause is the user's own machine.
  const message = error.code === "INTERNAL" && error.cause instanceof Error ? error.cause.message : error.message;
  if (view.json) {
    const { exit: _exit, message: _message, ...details } = error.details;
    view.io.stderr.write(`${JSON.stringify({ error: { exit: exitCode(exit), message, ...details } })}\n`);
  } else if (exit !== "interrupted") {
    for (const line of textLines(message, error.details, view)) view.io.stderr.write(`${line}\n`);
  }
  return exitCode(exit);
}
