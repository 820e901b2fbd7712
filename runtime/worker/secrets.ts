import type { ErrorRecord } from "../errors.ts";

/** Shorter values would turn harmless text into blanks. */
const MIN_SECRET_LENGTH = 6;
/** JSON texts within JSON texts, for example a body that the script made with JSON.stringify. */
const MAX_ESCAPES = 3;

/** Keeps the values of one execution's secrets out of everything that leaves the worker. */
export interface SecretGuard {
  /** Replaces values by placeholders that {@link SecretGuard.reveal} turns back: for the journal. */
  hide(json: string): string;
  reveal(json: string): string;
  /** Replaces values for good: for chunks, logs, traces. */
  redact(json: string): string;
  redactRecord(record: ErrorRecord): ErrorRecord;
}

interface Spelling {
  readonly value: string;
  readonly placeholder: string;
  readonly shown: string;
}

const same = (text: string) => text;
const escaped = (text: string) => JSON.stringify(text).slice(1, -1);

/** The ways a value may stand in a JSON text, longest first: escaped once or more, percent-encoded in a URL. */
export function secretSpellings(value: string): readonly string[] {
  const spellings = new Set<string>([escaped(value.isWellFormed() ? encodeURIComponent(value) : value)]);
  let text = value;
  for (let depth = 0; depth < MAX_ESCAPES; depth++) {
    text = escaped(text);
    spellings.add(text);
  }
  return [...spellings].sort((a, b) => b.length - a.length);
}

function toSpellings([name, value]: [string, string]): readonly Spelling[] {
  return secretSpellings(value).map((spelling, index) => ({
    value: spelling,
    placeholder: `\\u0001weft:secret:${index}:${escaped(name)}\\u0001`,
    shown: `[secret ${escaped(name)}]`,
  }));
}

/** A guard for the given names and values; all texts are JSON texts. */
export function createSecretGuard(secrets: Readonly<Record<string, string>>): SecretGuard {
  const pairs = Object.entries(secrets)
    .filter(([, value]) => value.length >= MIN_SECRET_LENGTH)
    .flatMap(toSpellings)
    // A longer one may contain a shorter one.
    .sort((a, b) => b.value.length - a.value.length);
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
