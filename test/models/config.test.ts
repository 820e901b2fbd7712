import { describe, expect, test } from "vitest";
import { parseModels } from "../../runtime/models/config.ts";
import { resolveModel } from "../../runtime/models/resolve.ts";

const read = (file: unknown, env: Readonly<Record<string, string>> = {}) =>
  parseModels({ file: file === null ? null : JSON.stringify(file), env });

const FILE = {
  models: {
    small: {
      base_url: "http://10.0.0.1:8000/v1/",
      api_key_env: "SMALL_KEY",
      upstream_model: "small-2",
      price_per_million_tokens: { prompt: 0.5, completion: 2 },
      timeout_ms: 1000,
      max_retries: 1,
      stream_usage: false,
      max_output_tokens: 4096,
      max_input_tokens: 100000,
    },
    large: { base_url: "http://10.0.0.2/v1" },
    other: { base_url: "http://10.0.0.3/v1" },
  },
  intents: { summarize: "large" },
  applications: { ETL: { model: "other", intents: { summarize: "small" } } },
  default_model: "small",
};
const ENV = { SMALL_KEY: "k-123456" };

const choose = (choice: { model?: string; intent?: string; application?: string }) =>
  resolveModel(read(FILE, ENV), { model: null, intent: null, application: null, ...choice }).name;

describe("parseModels", () => {
  test("reads every field of the file", () => {
    const config = read(FILE, ENV);
    expect(config.models["small"]).toEqual({
      baseUrl: "http://10.0.0.1:8000/v1",
      apiKey: "k-123456",
      upstreamModel: "small-2",
      promptPrice: 0.5,
      completionPrice: 2,
      timeoutMs: 1000,
      maxRetries: 1,
      streamUsage: false,
      isPriced: true,
      maxOutputTokens: 4096,
      maxInputTokens: 100_000,
    });
    expect(config.models["large"]).toMatchObject({
      apiKey: null,
      maxRetries: 3,
      promptPrice: 0,
      isPriced: false,
      maxOutputTokens: null,
    });
    expect(structuredClone(config)).toEqual(config);
  });

  test("without anything configured the echo model answers", () => {
    expect(read(null)).toMatchObject({ defaultModel: "echo", generic: null, models: { echo: { baseUrl: null } } });
  });

  test("OPENAI_API_KEY and OPENAI_BASE_URL alone reach an upstream for any name", () => {
    const config = read(null, { OPENAI_API_KEY: "k", OPENAI_BASE_URL: "http://127.0.0.1:1/v1/" });
    expect(resolveModel(config, { model: "anything", intent: null, application: null })).toMatchObject({
      name: "anything",
      route: { baseUrl: "http://127.0.0.1:1/v1", apiKey: "k", upstreamModel: null },
    });
    expect(config.defaultModel).toBe("gpt-4o-mini");
    expect(read(null, { OPENAI_API_KEY: "k" }).generic?.baseUrl).toBe("https://api.openai.com/v1");
    expect(read(null, { OPENAI_API_KEY: "", OPENAI_BASE_URL: "" }).generic).toBeNull();
  });

  test("a model without a base URL uses the general upstream and key; one with its own gets only its own key", () => {
    const env = { OPENAI_API_KEY: "general", OPENAI_BASE_URL: "http://127.0.0.1:1/v1" };
    const config = read({ models: { a: {}, b: { base_url: "http://127.0.0.1:2" } } }, env);
    expect(config.models["a"]).toMatchObject({ baseUrl: "http://127.0.0.1:1/v1", apiKey: "general" });
    expect(config.models["b"]?.apiKey).toBeNull();
    expect(config.defaultModel).toBe("a");
  });

  test.each([
    [{ modles: {} }, "modles is not a known field"],
    [{ models: { a: { url: "x" } } }, "models.a.url is not a known field"],
    [{ models: { a: { price_per_million_tokens: { in: 1 } } } }, "models.a.price_per_million_tokens.in is not"],
    [{ models: { a: { base_url: "ftp://x" } } }, "models.a.base_url is not an http or https URL"],
    [{ models: { a: { base_url: "" } } }, "models.a.base_url must be a non-empty text"],
    [{ models: { a: { api_key_env: "NOT_SET" } } }, "models.a.api_key_env names the environment variable NOT_SET"],
    [{ models: { a: { timeout_ms: "5" } } }, "models.a.timeout_ms must be a number from 1 to 3600000"],
    [{ models: { a: { max_retries: 11 } } }, "models.a.max_retries must be a number from 0 to 10"],
    [{ models: { a: { stream_usage: 1 } } }, "models.a.stream_usage must be true or false"],
    [{ models: { a: null } }, "models.a must be an object"],
    [{ models: [] }, "models must be an object"],
    [[], "the file must be an object"],
    [{ intents: { x: "y" } }, 'intents.x names the model "y"; configured are echo'],
    [{ applications: { A: { model: "y" } } }, 'applications.A.model names the model "y"'],
    [{ applications: { A: { modl: "y" } } }, "applications.A.modl is not a known field"],
    [{ default_model: "y" }, 'default_model names the model "y"'],
  ])("%j is an error that names the field", (file, message) => {
    expect(() => read(file)).toThrow(`WEFT_MODELS: ${message}`);
  });

  test("text that is not JSON and a bad OPENAI_BASE_URL are errors", () => {
    expect(() => parseModels({ file: "{", env: {} })).toThrow(/the file is not JSON/);
    expect(() => read(null, { OPENAI_BASE_URL: "nowhere" })).toThrow(/OPENAI_BASE_URL is not an http/);
  });
});

describe("resolveModel", () => {
  test("prefers the model, then the application's intent, the intent, the application, the default", () => {
    expect(choose({ model: "large", intent: "summarize", application: "ETL" })).toBe("large");
    expect(choose({ intent: "summarize", application: "ETL" })).toBe("small");
    expect(choose({ intent: "summarize" })).toBe("large");
    expect(choose({ intent: "summarize", application: "unknown" })).toBe("large");
    expect(choose({ intent: "unknown", application: "ETL" })).toBe("other");
    expect(choose({ intent: "toString", application: "__proto__" })).toBe("small");
    expect(choose({})).toBe("small");
  });

  test("an unknown model names the known ones", () => {
    expect(() => choose({ model: "gpt" })).toThrow(
      'model "gpt" is not configured; known models: small, large, other, echo',
    );
  });
});

test("while only the built-in model is configured it answers for any name", () => {
  const config = parseModels({ file: null, env: {} });
  expect(resolveModel(config, { model: "gpt-4o", intent: null, application: null })).toMatchObject({
    ...{ name: "gpt-4o", route: { baseUrl: null } },
  });
});
