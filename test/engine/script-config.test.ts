import { expect, test } from "vitest";
import { parseDuration } from "../../src/engine/config/value.ts";
import { parseScriptConfig } from "../../src/engine/script-config.ts";

test("a script without config gets the defaults", () => {
  expect(parseScriptConfig(null)).toEqual({
    timeoutMs: null,
    cacheTtlMs: null,
    budget: null,
    httpAllow: null,
    isolation: null,
    onDisconnect: "continue",
    validateInput: false,
    retention: { ageMs: null, runs: null },
    schedules: [],
    retries: null,
    concurrency: null,
    rateLimit: null,
    debounce: null,
    datastores: [],
  });
});

test("every member is obeyed and the result is frozen", () => {
  const config = parseScriptConfig({
    timeout: "1.5m",
    cache: { ttl: 60 },
    budget: { usd: 0.29, tokens: 1000, calls: 7 },
    http: { allow: ["API.example.com", "*.example.org:8443"] },
    isolation: "isolate",
    on_disconnect: "cancel",
    validateInput: true,
    retention: { age: "30d", runs: 5 },
    schedule: "@daily",
    retries: { max: 5, backoff: "fixed", delay: "2s", max_delay: "1m", on: ["script", "upstream"] },
    concurrency: { limit: 2, key: "input.customer_id" },
    rate_limit: { limit: 10, period: "1h", key: "session_id" },
    debounce: { key: "metadata.tenant", delay: "5s", maxWait: "1m" },
    datastores: ["rulings"],
  });
  expect(config).toEqual({
    timeoutMs: 90_000,
    cacheTtlMs: 60_000,
    budget: { nanoUsd: 290_000_000, tokens: 1000, calls: 7 },
    httpAllow: ["api.example.com", "*.example.org:8443"],
    isolation: "isolate",
    onDisconnect: "cancel",
    validateInput: true,
    retention: { ageMs: 2_592_000_000, runs: 5 },
    schedules: [
      { name: "default", cron: "@daily", timezone: "UTC", input: null, catchUp: "skip", overlap: "skip", endAt: null },
    ],
    retries: { max: 5, backoff: "fixed", delayMs: 2_000, maxDelayMs: 60_000, on: ["upstream", "script"] },
    concurrency: { limit: 2, key: ["input", "customer_id"] },
    rateLimit: { limit: 10, periodMs: 3_600_000, key: ["session_id"] },
    debounce: { key: ["metadata", "tenant"], delayMs: 5_000, maxWaitMs: 60_000 },
    datastores: ["rulings"],
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test.each([
  ["250ms", 250],
  ["60s", 60_000],
  ["2h", 7_200_000],
  ["1d", 86_400_000],
  [0.5, 500],
])("the duration %s is %d ms", (value, ms) => {
  expect(parseDuration("x", value)).toBe(ms);
});

test.each([
  [{ timeot: 1 }, "config.timeot: there is no such setting; known: timeout, cache"],
  [
    { timeout: "soon" },
    'config.timeout: must be a positive number of seconds or a text such as "90s", "5m" or "1h", got "soon"',
  ],
  [{ timeout: 0 }, "config.timeout: must be a positive number"],
  [{ timeout: null }, "config.timeout: must be a positive number"],
  [{ cache: {} }, "config.cache.ttl: must be given"],
  [{ cache: { ttl: "1h", enabled: true } }, "config.cache.enabled: there is no such setting; known: ttl"],
  [{ budget: { euro: 3 } }, "config.budget.euro: there is no such setting; known: usd, tokens, calls"],
  [{ budget: { usd: -1 } }, "config.budget.usd: must be a number from 0 to 1000000, got -1"],
  [{ budget: { usd: 1e308 } }, "config.budget.usd: must be a number from 0 to 1000000"],
  [{ budget: { usd: Number.NaN } }, "config.budget.usd: must be a number from 0 to 1000000"],
  [{ budget: { usd: "5" } }, "config.budget.usd: must be a number from 0 to 1000000"],
  [{ budget: { tokens: 0.5 } }, "config.budget.tokens: must be a whole number from 0 to 1000000000000000, got 0.5"],
  [{ budget: { calls: 2 ** 53 } }, "config.budget.calls: must be a whole number"],
  [{ http: { allow: "x" } }, "config.http.allow: must be a list of at most 1000 host names"],
  [{ http: { allow: ["https://x.com"] } }, "config.http.allow: must be host names such as"],
  [{ isolation: "vm" }, 'config.isolation: must be one of frozen, context, isolate, got "vm"'],
  [{ on_disconnect: "stop" }, "config.on_disconnect: must be one of continue, cancel"],
  [{ validate_input: "yes" }, "config.validate_input: must be true or false"],
  [{ validate_input: true, validateInput: true }, "config.validateInput: is the same as config.validate_input"],
  [{ retries: { max: -1 } }, "config.retries.max: must be a whole number from 0 to 100, got -1"],
  [
    { retries: { tries: 1 } },
    "config.retries.tries: there is no such setting; known: max, backoff, delay, maxDelay, on",
  ],
  [
    { retries: { on: ["caller"] } },
    'config.retries.on: must be a list of infrastructure, upstream, script, got "caller"',
  ],
  [{ retries: { delay: "31d" } }, "config.retries.delay: must be at most 2592000000 ms"],
  [{ concurrency: {} }, "config.concurrency.limit: must be a whole number from 1 to 1000000"],
  [{ concurrency: { limit: 1, key: "secrets.x" } }, "config.concurrency.key: must be a dotted path"],
  [{ rateLimit: { limit: 0 } }, "config.rateLimit.limit: must be a whole number from 1"],
  [{ rate_limit: { limit: 1, period: "1000d" } }, "config.rate_limit.period: must be at most"],
  [{ debounce: {} }, "config.debounce.delay: must be a positive number"],
  [{ debounce: { delay: "10s", max_wait: "5s" } }, "config.debounce.max_wait: must be at least the delay, 10000 ms"],
  [[], "config: must be an object"],
  ["x", "config: must be an object"],
])("%o is refused", (config, message) => {
  expect(() => parseScriptConfig(config)).toThrow(message);
});
