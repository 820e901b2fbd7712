import { hash } from "node:crypto";
import type { SecretHandle } from "../egress/secret-handles.ts";
import type { ErrorRecord } from "../errors.ts";

/** Shorter values would turn harmless text into blanks: they are not hidden. */
export const MIN_SECRET_LENGTH = 6;
/** JSON texts within JSON texts, for example a body that the script made with JSON.stringify. */
const MAX_ESCAPES = 3;
/** Shorter pieces of base64 would be found in texts that have nothing to do with the secret. */
const MIN_BASE64_PIECE = 8;
const NONCE_LENGTH = 16;

/** Keeps the values of one execution's secrets out of everything that leaves the worker; all texts are JSON texts. */
export interface SecretGuard {
  /** Replaces values by placeholders that {@link SecretGuard.reveal} turns back: for the journal. */
  hide(json: string): string;
  reveal(json: string): string;
  /** Replaces values for good: for chunks, logs, traces. */
  redact(json: string): string;
  redactRecord(record: ErrorRecord): ErrorRecord;
}

const same = (text: string) => text;
const escaped = (text: string) => JSON.stringify(text).slice(1, -1);

/** What base64 makes of a value wherever it stands in the encoded bytes: the characters that depend on it alone. */
function base64Pieces(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const first = Math.ceil((offset * 4) / 3);
    const last = Math.floor(((offset + bytes.length) * 4) / 3);
    return encoded.slice(first, last);
  });
}

/**
 * The ways a value may stand in a JSON text: escaped once or more, percent-encoded in a URL, within base64. Each has a
 * letter of its own, so that the placeholder of one way does not depend on the value (a replay has another one).
 */
function spellingsOf(value: string): ReadonlyMap<string, string> {
  const spellings = new Map<string, string>();
  const add = (spelling: string, letter: string) => {
    if (!spellings.has(spelling)) spellings.set(spelling, letter);
  };
  let text = value;
  for (let depth = 0; depth < MAX_ESCAPES; depth++) {
    text = escaped(text);
    add(text, `e${depth}`);
  }
  add(escaped(value.isWellFormed() ? encodeURIComponent(value) : value), "u");
  for (const [offset, piece] of base64Pieces(value).entries())
    if (piece.length >= MIN_BASE64_PIECE) add(piece, `b${offset}`);
  return spellings;
}

/** Replaces in one pass; `to` maps each text that is looked for. Longer ones win over those they contain. */
function createReplacer(to: ReadonlyMap<string, string>): (text: string) => string {
  const found = [...to.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(found.map((text) => RegExp.escape(text)).join("|"), "g");
  const inLiteral = (literal: string) => literal.replace(pattern, (match) => to.get(match) ?? match);
  return (json) => (found.some((text) => json.includes(text)) ? mapStrings(json, inLiteral) : json);
}

/** Index of the quote that closes the string literal opened at `start`; the length of the text when none does. */
export function closingQuote(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let slashes = 0;
    while (json[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return end;
  }
  return json.length;
}

/** Applies `change` to the inside of every string literal, so that the text stays JSON whatever is replaced. */
function mapStrings(json: string, change: (inside: string) => string): string {
  let out = "";
  let at = 0;
  for (let start = json.indexOf('"'); start >= 0; start = json.indexOf('"', at)) {
    const end = closingQuote(json, start);
    out += json.slice(at, start + 1) + change(json.slice(start + 1, end));
    at = end;
    if (at >= json.length) return out;
    out += '"';
    at++;
  }
  return out + json.slice(at);
}

type Secrets = Readonly<Record<string, string>>;

interface Spelling {
  readonly text: string;
  /** Unique among the spellings of all secrets. */
  readonly label: string;
  readonly redaction: string;
  /** The secret that it spells. */
  readonly value: string;
}

function spelledOut(secrets: Secrets): readonly Spelling[] {
  return Object.entries(secrets).flatMap(([name, value], i) => {
    if (value.length < MIN_SECRET_LENGTH) return [];
    const redaction = `[secret ${escaped(name)}]`;
    return [...spellingsOf(value)].map(([text, letter]) => ({ text, label: `${i}${letter}`, redaction, value }));
  });
}

const redactionsOf = (spellings: readonly Spelling[]): ReadonlyMap<string, string> =>
  new Map(spellings.map(({ text, redaction }) => [text, redaction]));

/** Hides secret values in the strings of a JSON text for good; the text stays JSON. Numbers are left alone. */
export function redactSecrets(json: string, secrets: Secrets): string {
  const spellings = spelledOut(secrets);
  return spellings.length === 0 ? json : createReplacer(redactionsOf(spellings))(json);
}

/**
 * A guard for the given names and values; a value that is a handle's becomes its text, for good. Placeholders carry a nonce made from the execution's seed: a text from
 * outside cannot name one, or it would be turned into the secret.
 */
export function createSecretGuard(secrets: Secrets, seed: string, handles: readonly SecretHandle[] = []): SecretGuard {
  const spellings = spelledOut(secrets);
  if (spellings.length === 0) return { hide: same, reveal: same, redact: same, redactRecord: (record) => record };
  const nonce = hash("sha256", `weft secret placeholder ${seed}`, "base64url").slice(0, NONCE_LENGTH);
  const texts = new Map(handles.toReversed().map(({ value, text }) => [value, text]));
  const placeholders = new Map<string, string>();
  const values = new Map<string, string>();
  for (const { text, label, value } of spellings) {
    const placeholder = texts.get(value) ?? `\\u0001weft:${nonce}:${label}\\u0001`;
    placeholders.set(text, placeholder);
    // The value of a handle never comes back: its guest sees the handle's text.
    if (!texts.has(value)) values.set(placeholder, text);
  }
  const redact = createReplacer(redactionsOf(spellings));
  return {
    hide: createReplacer(placeholders),
    reveal: values.size === 0 ? same : createReplacer(values),
    redact,
    redactRecord: (record) => JSON.parse(redact(JSON.stringify(record))) as ErrorRecord,
  };
}
