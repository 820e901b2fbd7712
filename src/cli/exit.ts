import { type Details, type ErrorCode, fail, toWorkflowError, type WorkflowError } from "../../runtime/index.ts";

/** Why a command ended: its exit code, and the sentence `weft --help` prints for it. */
export const EXIT_CODES = [
  { name: "ok", code: 0, meaning: "done" },
  { name: "failed", code: 1, meaning: "the run failed, the script has errors, or the server reported an error" },
  { name: "usage", code: 2, meaning: "the command line, a setting or an input file is not valid" },
  { name: "unreachable", code: 3, meaning: "the server cannot be reached" },
  {
    name: "refused",
    code: 4,
    meaning: "the key is missing or refused, or there is no such workflow, version or execution",
  },
  { name: "interrupted", code: 130, meaning: "stopped with Ctrl-C" },
] as const;

/** The name of an exit code. */
export type Exit = (typeof EXIT_CODES)[number]["name"];

const CODES: Readonly<Record<Exit, ErrorCode>> = {
  ok: "INTERNAL",
  failed: "EXECUTION_FAILED",
  usage: "INVALID_REQUEST",
  unreachable: "UPSTREAM_FAILED",
  refused: "FORBIDDEN",
  interrupted: "EXECUTION_CANCELLED",
};

/** Makes the error that ends a command with `exit`; `message` is what the user reads. */
export function stop(exit: Exclude<Exit, "ok">, message: string, details: Details = {}): WorkflowError {
  return fail(CODES[exit], { ...details, message, exit });
}

/** The numeric code of an exit. */
export function exitCode(exit: Exit): number {
  return EXIT_CODES.find((entry) => entry.name === exit)?.code ?? 1;
}

/** The exit that anything thrown by a command means; a WorkflowError made elsewhere is a refused setting or input. */
export function exitOf(thrown: unknown): Exit {
  const error = toWorkflowError(thrown);
  const named = EXIT_CODES.find((entry) => entry.name === error.details["exit"]);
  if (named !== undefined) return named.name;
  return error.blame === "caller" ? "usage" : "failed";
}

/** True for an error that says that the server cannot be reached. */
export function isUnreachable(thrown: unknown): boolean {
  return exitOf(thrown) === "unreachable";
}
