/** One upstream model as the operator configured it; plain data. */
export interface ModelRoute {
  /** Name scripts use. */
  readonly name: string;
  /** Base URL of an OpenAI-compatible API, without `/chat/completions`; null = the built-in echo model. */
  readonly baseUrl: string | null;
  /** Bearer token; null = none is sent. */
  readonly apiKey: string | null;
  /** Model name sent upstream. */
  readonly upstreamModel: string;
  /** US dollars per million prompt tokens. */
  readonly promptPrice: number;
  /** US dollars per million completion tokens. */
  readonly completionPrice: number;
  /** For one call, retries included; milliseconds. */
  readonly timeoutMs: number;
  /** Attempts after the first. */
  readonly maxRetries: number;
}

/** Everything the model client needs to know; structured-cloneable. Holds API keys: never log it. */
export interface ModelConfig {
  readonly models: Readonly<Record<string, ModelRoute>>;
  /** Upstream for every other model name (`OPENAI_API_KEY`, `OPENAI_BASE_URL`); null = none. */
  readonly generic: ModelRoute | null;
  /** Intent → model name. */
  readonly intents: Readonly<Record<string, string>>;
  /** Application → its default model and its own intents. */
  readonly applications: Readonly<
    Record<string, { readonly model: string | null; readonly intents: Readonly<Record<string, string>> }>
  >;
  /** Model name used when nothing else chooses. */
  readonly defaultModel: string;
}

export declare function parseModels(params: {
  readonly file: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}): ModelConfig;
