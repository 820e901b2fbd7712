import type { ExecutionResult } from "./engine.ts";

/** What a `chat.completion` object says about a completed execution. */
export interface CompletionFacts {
  /** UUID. */
  readonly executionId: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** As the caller wrote it, for example `workflow:summarize`. */
  readonly model: string;
  readonly sessionId: string;
  readonly requestId: string;
  readonly result: Extract<ExecutionResult, { status: "completed" }>;
}

/** The id that OpenAI clients see: `chatcmpl-` and the execution's UUID without dashes. */
export const toCompletionId = (executionId: string): string => `chatcmpl-${executionId.replaceAll("-", "")}`;

/** JSON text of OpenAI's `usage` member. */
export function toUsageJson({ promptTokens, completionTokens }: CompletionFacts["result"]["usage"]): string {
  const total = promptTokens + completionTokens;
  return `{"prompt_tokens":${promptTokens},"completion_tokens":${completionTokens},"total_tokens":${total}}`;
}

/** JSON text of the `chat.completion` object with Maitai's `output`: the answer of a call that is not streamed, and what a nested call returns. */
export function toCompletion(facts: CompletionFacts): string {
  const { executionId, createdAt, model, result, sessionId, requestId } = facts;
  const head = `{"id":"${toCompletionId(executionId)}","object":"chat.completion","created":${Math.floor(createdAt / 1000)}`;
  const message = `{"role":"assistant","content":${JSON.stringify(result.content)}}`;
  const choices = `[{"index":0,"message":${message},"finish_reason":"stop"}]`;
  const ids = `"session_id":${JSON.stringify(sessionId)},"request_id":${JSON.stringify(requestId)}`;
  const body = `"choices":${choices},"usage":${toUsageJson(result.usage)},"output":${result.output}`;
  return `${head},"model":${JSON.stringify(model)},${body},${ids}}`;
}
