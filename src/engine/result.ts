import type { Chunk, ErrorRecord, Usage } from "../../runtime/index.ts";
import { shortageError } from "./budgets/shortage-error.ts";
import type { ExecutionResult } from "./engine.ts";
import type { Execution, Shortage } from "./types.ts";

/** Usage of an execution that did nothing. */
export const NO_USAGE: Usage = Object.freeze({ promptTokens: 0, completionTokens: 0, costUsd: 0, ops: 0, cpuMs: 0 });

/** The text that `ctx.write` sent. */
export function joinText(chunks: readonly Chunk[]): string {
  const texts: string[] = [];
  for (const chunk of chunks) if (chunk.text) texts.push(String(JSON.parse(chunk.content)));
  return texts.join("");
}

/** How a completed execution is shown: a returned string as it is, anything else as its JSON text. */
export function toCompleted(output: string, usage: Usage, streamedText: boolean): ExecutionResult {
  const content = output.startsWith('"') ? String(JSON.parse(output)) : output;
  return { status: "completed", output, content, usage, streamedText };
}

/** How a failed execution is shown: one that was cancelled is not a failure of the script. */
export function toFailed(error: ErrorRecord): Extract<ExecutionResult, { status: "failed" | "cancelled" }> {
  return { status: error.code === "EXECUTION_CANCELLED" ? "cancelled" : "failed", error };
}

/** How an execution is shown that waits for money. */
export function toShort(shortage: Shortage, executionId: string): ExecutionResult & { readonly shortage: Shortage } {
  return { status: "failed", error: shortageError(shortage, executionId), shortage };
}

/** The result of a stored execution, or null when it has not ended. */
export function resultOf({ state, usage }: Execution, streamedText: boolean): ExecutionResult | null {
  if (state.status === "completed") return toCompleted(state.output ?? "null", usage, streamedText);
  return state.status === "failed" || state.status === "cancelled"
    ? { status: state.status, error: state.error }
    : null;
}
