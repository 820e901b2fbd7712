import { hash as digest } from "node:crypto";
import { fail, type JournalRecord, MIN_SECRET_LENGTH, redactSecrets } from "../../runtime/index.ts";
import type { Recording, RecordingHead, RecordingLine } from "./format.ts";
import { readRecording } from "./read-recording.ts";
import { linesOf } from "./recording-file.ts";

/** Texts that look like credentials of well-known services, whoever sent them. */
const CREDENTIALS: readonly RegExp[] = [
  /\bsk-[A-Za-z0-9_-]{16,200}/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /\bgh[pousr]_[A-Za-z0-9]{36,251}\b/g,
  /\bxox[abprs]-[A-Za-z0-9-]{10,200}/g,
  // Whoever has the link of an open question may decide it.
  /\/approve\/[0-9a-f]{32}\.[0-9a-z]{1,11}\.[\w-]{43}/g,
  /\beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,1000}/g,
];
/** Longest replaced first would matter only if one contained the other; a name per text keeps them apart. */
const nameOf = (index: number) => `redacted ${index + 1}`;

function credentialsIn(recording: Recording): readonly string[] {
  const found = new Set<string>();
  for (const line of linesOf(recording)) {
    if (line.type === "accessory") continue;
    const text = JSON.stringify(line);
    for (const pattern of CREDENTIALS) for (const [match] of text.matchAll(pattern)) found.add(match);
  }
  return [...found];
}

const hashOf = (op: string, args: string) => digest("sha256", `${op}\0${args}`, "base64url");

/** A call whose arguments were changed gets the hash that the script's call will have, as far as its arguments are known whole. */
function rehash<C extends Pick<JournalRecord, "op" | "args" | "hash">>(before: C, after: C): C {
  const { op, args, hash } = before;
  if (args === null || after.args === null || args === after.args || hashOf(op, args) !== hash) return after;
  return { ...after, hash: hashOf(op, after.args) };
}

function rehashHead(before: RecordingHead, after: RecordingHead): RecordingHead {
  const { end } = before.execution;
  const changed = after.execution.end;
  if (!("calls" in end && "calls" in changed)) return after;
  const calls = end.calls?.map((call, at) => rehash(call, changed.calls?.[at] ?? call)) ?? [];
  return { ...after, execution: { ...after.execution, end: { ...changed, calls } } };
}

/**
 * A copy of a recording without the given texts and without texts that look like credentials, wherever they stand.
 * What a script passes on unchanged still matches its recorded calls. INVALID_REQUEST for a text that is too short to be found.
 */
export async function redactRecording(recording: Recording, texts: readonly string[]): Promise<Recording> {
  const short = texts.find((text) => text.length < MIN_SECRET_LENGTH);
  if (short !== undefined) {
    const message = `redact: ${JSON.stringify(short)} has ${short.length} characters; shorter than ${MIN_SECRET_LENGTH} would blank harmless text`;
    throw fail("INVALID_REQUEST", { message, param: "redact" });
  }
  const all = [...new Set([...texts, ...credentialsIn(recording)])];
  const hidden = Object.fromEntries(all.map((text, index) => [nameOf(index), text]));
  const redact = (line: RecordingLine): string => {
    const text = redactSecrets(JSON.stringify(line), hidden);
    if (line.type === "recording") return JSON.stringify(rehashHead(line, JSON.parse(text) as RecordingHead));
    if (line.type !== "delivery") return text;
    const after = JSON.parse(text) as Extract<RecordingLine, { type: "delivery" }>;
    return JSON.stringify({ ...after, record: rehash(line.record, after.record) });
  };
  return readRecording(Array.from(linesOf(recording), redact));
}
