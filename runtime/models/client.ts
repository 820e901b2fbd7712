import type { ModelConfig } from "./config.ts";

/** One chat completion asked of a model. */
export interface ModelRequest {
  /** Explicit model name; null = chosen by intent and application. */
  readonly model: string | null;
  readonly intent: string | null;
  readonly application: string | null;
  /** OpenAI body without `model` and `stream`, forwarded verbatim. */
  readonly body: Readonly<Record<string, unknown>>;
  /** For all attempts together; null = the model's own. */
  readonly timeoutMs: number | null;
  /** Of the whole answer. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Usage of one call as far as it is known; later reports replace earlier ones. */
export interface ModelUsage {
  readonly attempts: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
  /** Configured name of the model that answered. */
  readonly model: string;
}

/** A streamed chunk or completion: JSON as the upstream sent it. */
export type ModelObject = Readonly<Record<string, unknown>>;

/** Chat completions from whichever upstream the operator configured. */
export interface ModelClient {
  /** The upstream's completion; `meter` is called after every attempt. Throws INVALID_ARGUMENT, LIMIT_EXCEEDED, UPSTREAM_FAILED, UPSTREAM_TIMEOUT, or the signal's reason. */
  complete(request: ModelRequest, meter: (usage: ModelUsage) => void): Promise<ModelObject>;
  /** The chunks of a streamed answer, one array per network read, the usage frame included; errors as in `complete`. */
  stream(request: ModelRequest, meter: (usage: ModelUsage) => void): AsyncIterable<readonly ModelObject[]>;
  /** Closes every connection. */
  close(): Promise<void>;
}

export declare function createModelClient(config: ModelConfig): ModelClient;
