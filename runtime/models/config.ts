import { fail, type WorkflowError } from "../errors.ts";
import { createReader, type Reader } from "./config-reader.ts";

/** One upstream model as the operator configured it; plain data. */
export interface ModelRoute {
  /** Base URL of an OpenAI-compatible API, without `/chat/completions`; null = the built-in echo model. */
  readonly baseUrl: string | null;
  /** Bearer token; null = none is sent. */
  readonly apiKey: string | null;
  /** Model name sent upstream; null = the name the script used. */
  readonly upstreamModel: string | null;
  /** US dollars per million prompt tokens. */
  readonly promptPrice: number;
  /** US dollars per million completion tokens. */
  readonly completionPrice: number;
  /** For one call, retries included; milliseconds. */
  readonly timeoutMs: number;
  /** Attempts after the first. */
  readonly maxRetries: number;
  /** True when streams are asked to end with their usage (`stream_options.include_usage`). */
  readonly streamUsage: boolean;
  /** True when the operator named prices, if only 0: a budget in US dollars asks for them. */
  readonly isPriced: boolean;
  /** Most tokens of one answer and of one prompt, for budgets; null = not known. */
  readonly maxOutputTokens: number | null;
  readonly maxInputTokens: number | null;
}

/** Models an application uses when a call names none. */
export interface ApplicationRoutes {
  readonly model: string | null;
  /** Intent → model name, before the general intents. */
  readonly intents: Readonly<Record<string, string>>;
}

/** Everything the model client needs to know; structured-cloneable. Holds API keys: never log it. */
export interface ModelConfig {
  readonly models: Readonly<Record<string, ModelRoute>>;
  /** Upstream for every other model name (`OPENAI_API_KEY`, `OPENAI_BASE_URL`); null = none. */
  readonly generic: ModelRoute | null;
  /** Intent → model name. */
  readonly intents: Readonly<Record<string, string>>;
  readonly applications: Readonly<Record<string, ApplicationRoutes>>;
  /** Model name used when nothing else chooses. */
  readonly defaultModel: string;
  /** Model name that makes embeddings when a datastore names none. */
  readonly embeddingModel: string;
}

/** Name of the built-in model that needs no upstream. */
export const ECHO_MODEL = "echo";

const OPENAI_BASE_URL = "https://api.openai.com/v1";
const GENERIC_DEFAULT_MODEL = "gpt-4o-mini";
const GENERIC_EMBEDDING_MODEL = "text-embedding-3-small";
const DEFAULT_TIMEOUT_MS = 600_000;
const DEFAULT_RETRIES = 3;
const MAX_TIMEOUT_MS = 3_600_000;
const MAX_MODEL_TOKENS = 1_000_000_000;

type Env = Readonly<Record<string, string | undefined>>;

const bad = (path: string, why: string): WorkflowError =>
  fail("INVALID_ARGUMENT", { message: `WEFT_MODELS: ${path} ${why}`, field: path });

const ECHO_ROUTE: ModelRoute = Object.freeze({
  baseUrl: null,
  apiKey: null,
  upstreamModel: null,
  promptPrice: 0,
  completionPrice: 0,
  timeoutMs: DEFAULT_TIMEOUT_MS,
  maxRetries: 0,
  streamUsage: true,
  isPriced: true,
  maxOutputTokens: null,
  maxInputTokens: null,
});

function parseBaseUrl(text: string, where: string): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw fail("INVALID_ARGUMENT", { message: `${where} is not an http or https URL: "${text}"`, field: where });
  }
  return text.replace(/\/+$/, "");
}

const nonEmpty = (text: string | undefined): string | null => (text === undefined || text === "" ? null : text);

function genericRoute(env: Env): ModelRoute | null {
  const apiKey = nonEmpty(env["OPENAI_API_KEY"]);
  const baseUrl = nonEmpty(env["OPENAI_BASE_URL"]);
  if (apiKey === null && baseUrl === null) return null;
  return {
    ...ECHO_ROUTE,
    baseUrl: baseUrl === null ? OPENAI_BASE_URL : parseBaseUrl(baseUrl, "OPENAI_BASE_URL"),
    apiKey,
    maxRetries: DEFAULT_RETRIES,
    isPriced: false,
  };
}

/** The key a model's entry stands for: its own variable, or the general one when it uses the general upstream. */
function keyOf(reader: Reader, env: Env, ownUpstream: boolean): string | null {
  const variable = reader.text("api_key_env");
  if (variable === null) return ownUpstream ? null : nonEmpty(env["OPENAI_API_KEY"]);
  const key = nonEmpty(env[variable]);
  if (key === null)
    throw bad(`${reader.path}.api_key_env`, `names the environment variable ${variable}, which is not set`);
  return key;
}

function parseRoute(reader: Reader, env: Env): ModelRoute {
  const baseUrl = reader.text("base_url");
  const price = reader.object("price_per_million_tokens");
  const route: ModelRoute = {
    baseUrl:
      baseUrl === null
        ? (genericRoute(env)?.baseUrl ?? OPENAI_BASE_URL)
        : parseBaseUrl(baseUrl, `WEFT_MODELS: ${reader.path}.base_url`),
    apiKey: keyOf(reader, env, baseUrl !== null),
    upstreamModel: reader.text("upstream_model"),
    promptPrice: price?.number("prompt", 0, Number.MAX_SAFE_INTEGER) ?? 0,
    completionPrice: price?.number("completion", 0, Number.MAX_SAFE_INTEGER) ?? 0,
    timeoutMs: reader.number("timeout_ms", 1, MAX_TIMEOUT_MS) ?? DEFAULT_TIMEOUT_MS,
    maxRetries: reader.number("max_retries", 0, 10) ?? DEFAULT_RETRIES,
    streamUsage: reader.boolean("stream_usage") ?? true,
    isPriced: price !== null,
    maxOutputTokens: reader.number("max_output_tokens", 1, MAX_MODEL_TOKENS),
    maxInputTokens: reader.number("max_input_tokens", 1, MAX_MODEL_TOKENS),
  };
  price?.end();
  reader.end();
  return route;
}

function parseApplication(reader: Reader): ApplicationRoutes {
  const routes = { model: reader.text("model"), intents: reader.texts("intents") };
  reader.end();
  return routes;
}

/** Throws when a route leads to a model nobody configured. */
function checkTargets(config: ModelConfig): void {
  if (config.generic !== null) return;
  const known = [...Object.keys(config.models), ECHO_MODEL];
  const check = (path: string, model: string | null) => {
    if (model !== null && !known.includes(model)) {
      throw bad(path, `names the model "${model}"; configured are ${known.join(", ")}`);
    }
  };
  check("default_model", config.defaultModel);
  check("embedding_model", config.embeddingModel);
  for (const [intent, model] of Object.entries(config.intents)) check(`intents.${intent}`, model);
  for (const [name, application] of Object.entries(config.applications)) {
    check(`applications.${name}.model`, application.model);
    for (const [intent, model] of Object.entries(application.intents)) {
      check(`applications.${name}.intents.${intent}`, model);
    }
  }
}

function parseFile(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fail(
      "INVALID_ARGUMENT",
      { message: `WEFT_MODELS: the file is not JSON: ${(error as Error).message}` },
      error,
    );
  }
}

/**
 * Reads the text of the WEFT_MODELS file and the environment. Default model: `default_model`, else the first of
 * `models`, else `gpt-4o-mini` when OPENAI_API_KEY or OPENAI_BASE_URL is set, else `echo`. Throws INVALID_ARGUMENT
 * naming the field. Embeddings: `embedding_model`, else `text-embedding-3-small` or, without a service, `echo`.
 */
export function parseModels(params: { readonly file: string | null; readonly env: Env }): ModelConfig {
  const reader = createReader(params.file === null ? {} : parseFile(params.file), "", bad);
  const models = reader.map("models", (entry) => parseRoute(entry, params.env));
  const generic = genericRoute(params.env);
  const unchosen = Object.keys(models)[0] ?? (generic === null ? ECHO_MODEL : GENERIC_DEFAULT_MODEL);
  const config: ModelConfig = {
    models: Object.hasOwn(models, ECHO_MODEL) ? models : { ...models, [ECHO_MODEL]: ECHO_ROUTE },
    generic,
    intents: reader.texts("intents"),
    applications: reader.map("applications", parseApplication),
    defaultModel: reader.text("default_model") ?? unchosen,
    embeddingModel: reader.text("embedding_model") ?? (generic === null ? ECHO_MODEL : GENERIC_EMBEDDING_MODEL),
  };
  reader.end();
  checkTargets(config);
  return config;
}
