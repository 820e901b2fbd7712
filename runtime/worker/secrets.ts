import type { ErrorRecord } from "../errors.ts";

/** Shorter values would turn harmless text into blanks. */
const MIN_SECRET_LENGTH = 6;

/** Keeps the values of one execution's secrets out of everything that leaves the worker. */
export interface SecretGuard {
  /** Replaces values by placeholders that {@link SecretGuard.reveal} turns back: for the journal. */
  hide(json: string): string;
  reveal(json: string): string;
  /** Replaces values for good: for chunks, logs, traces. */
  redact(json: string): string;
  redactRecord(record: ErrorRecord): ErrorRecord;
}

const same = (text: string) => text;

/** A guard for the given names and values; all texts are JSON texts. */
export function createSecretGuard(secrets: Readonly<Record<string, string>>): SecretGuard {
  const pairs = Object.entries(secrets)
    .filter(([, value]) => value.length >= MIN_SECRET_LENGTH)
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([name, value]) => ({
      value: JSON.stringify(value).slice(1, -1),
      placeholder: `\\u0001weft:secret:${JSON.stringify(name).slice(1, -1)}\\u0001`,
      shown: `[secret ${JSON.stringify(name).slice(1, -1)}]`,
    }));
  if (pairs.length === 0) return { hide: same, reveal: same, redact: same, redactRecord: (record) => record };
  const replaced = (text: string, from: "value" | "placeholder", to: "value" | "placeholder" | "shown") =>
    pairs.reduce((result, pair) => result.replaceAll(pair[from], () => pair[to]), text);
  const redact = (text: string) => replaced(text, "value", "shown");
  return {
    hide: (text) => replaced(text, "value", "placeholder"),
    reveal: (text) => replaced(text, "placeholder", "value"),
    redact,
    redactRecord: (record) => JSON.parse(redact(JSON.stringify(record))) as ErrorRecord,
  };
}
