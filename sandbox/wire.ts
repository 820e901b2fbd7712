/**
 * The frames between a worker thread and its host process: one line each, fields separated by tabs. JSON texts never
 * contain a raw tab or newline, so a payload needs no escaping and a relay never parses it.
 */

/** Numbers a guest enforces on itself before anything is posted. The host counts log lines again, the worker measures arguments and output. */
export interface GuestLimits {
  readonly maxOutputBytes: number;
  readonly maxArgBytes: number;
  readonly maxChunkBytes: number;
  readonly maxChunks: number;
  readonly maxChunkTotalBytes: number;
  readonly maxLogLines: number;
  readonly maxLogLineBytes: number;
  readonly maxConcurrentOps: number;
  readonly maxTools: number;
  readonly maxToolCalls: number;
  readonly maxToolTextBytes: number;
}

/** How strictly runs are kept apart; `frozen` realms are shared by the runs of one account and version. */
export type Isolation = "frozen" | "context" | "isolate";

/** Facts of one run that the host and its guest need, besides the ctx data. */
export interface StartFacts {
  /** Isolates are shared only between runs with the same key (account and version). */
  readonly key: string;
  readonly bundleHash: string;
  readonly isolation: Isolation;
  /** `execute` runs the workflow; `describe` only evaluates the module and reads config and schemas. */
  readonly mode: "execute" | "describe";
  /** Hex text, 64 digits. */
  readonly seed: string;
  /** Guest clock at the start, ms since the epoch. */
  readonly now: number;
  /** Milliseconds since the epoch; null = no wall limit. */
  readonly deadlineAt: number | null;
  readonly memoryMb: number;
  readonly cpuMs: number;
  readonly turnMs: number;
  readonly limits: GuestLimits;
}

/** Frame letters, worker to host. */
export const TO_HOST = { bundle: "B", start: "S", deliver: "D", feed: "F", abort: "A", close: "C" } as const;

/** Frame letters, host to worker. */
export const FROM_HOST = {
  ready: "R",
  need: "N",
  op: "o",
  drop: "u",
  chunk: "e",
  many: "m",
  log: "l",
  done: "k",
  failed: "f",
  turn: "t",
  step: "s",
  died: "d",
  poisoned: "x",
  heartbeat: "h",
} as const;

/** Kinds of a delivery into the guest. */
export type DeliveryKind = "result" | "error" | "part";

/**
 * Kinds of a post out of the guest; the first argument of the one callback. `many`: ops, drops and chunks that were held
 * back while recorded deliveries were fed, and their five members each, with the characters of {@link MANY} between them.
 */
export const POST = { op: 1, drop: 2, chunk: 3, log: 4, done: 5, failed: 6, many: 7 } as const;

/** Characters that neither JSON texts nor names have. */
export const MANY = { end: "\u001e", member: "\u001f" } as const;

/** Beginning of the log line about a promise that was rejected and not handled. */
export const REJECTION = "Unhandled rejection: ";

/** Recorded deliveries of a feed, as its JSON text has them: kind, position, guest clock and payload of each, one after the other. */
export type FedItem = DeliveryKind | number | string;
/** Items of one delivery. */
export const FED_ITEMS = 4;

/**
 * Large globals that a realm has only when its bundle names them: bits of the `harden` and `start` number. Building and
 * freezing them takes more time and memory than everything else together.
 */
export const NEEDS = { Temporal: 1, Intl: 2 } as const;

/** The bits of {@link NEEDS} that a bundle's text asks for. */
export function needsOf(text: string): number {
  return (text.includes("Temporal") ? NEEDS.Temporal : 0) | (text.includes("Intl") ? NEEDS.Intl : 0);
}

/** What a guest read that its result may depend on: bits of the `done` flags. */
export const READ = { clock: 1, random: 2, identity: 4 } as const;

/** True when a text can travel as a field: no tab, no newline. */
export function isField(text: string): boolean {
  return !text.includes("\n") && !text.includes("\t");
}
