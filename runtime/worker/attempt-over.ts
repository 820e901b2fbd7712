const CODES: ReadonlySet<unknown> = new Set(["CONFLICT", "EXECUTION_NOT_FOUND"]);

/** True for what the main thread refuses because the attempt that asked is over, and for nothing that a service says. */
export function isAttemptOver(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && CODES.has(error.code);
}
