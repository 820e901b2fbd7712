import { FROM_HOST, type GuestLimits, MANY, POST } from "../../sandbox/wire.ts";
import type { Chunk, LogLine } from "../execution.ts";
import { isWhole } from "./frame-check.ts";
import type { HostDelivery } from "./host-delivery.ts";
import { nestingError } from "./nesting.ts";

/** Who hears what a run in a host says of itself. */
export interface ReportListener {
  /** `node`: the graph's node that it counts for; empty for none. */
  op(pos: number, name: string, args: string, node: string): void;
  /** True when the op was under way. */
  drop(pos: number): boolean;
  chunk(chunk: Chunk): void;
  /** `message` is a JSON string, `fields` JSON text or empty. */
  log(level: LogLine["level"], message: string, fields: string): void;
  done(reads: number, output: string): void;
  failed(frozenComplaint: boolean, record: string): void;
}

const LEVELS: readonly LogLine["level"][] = ["debug", "info", "warn", "error"];
const levelOf = (word: string) => LEVELS.find((level) => level === word) ?? "info";

/** As the guest keeps them, in characters: see sandbox/execution.ts. */
const MAX_NAME = 100;
const MAX_NODE = 200;

const UNREADABLE = JSON.stringify({
  code: "EXECUTION_FAILED",
  message: "The script sent something that cannot be read.",
  details: {},
});

/** Bytes of an error's record and of whatever else has no limit of its own. */
const REST_BYTES = 1024 * 1024;

/** The largest frame, bytes, that a guest within its limits can make its host send. */
export function largestFrame({ maxOutputBytes, maxArgBytes, maxChunkBytes, maxLogLineBytes }: GuestLimits): number {
  // Guests count characters. One of a log line takes six bytes when it is escaped, and there are two texts in it.
  return REST_BYTES + 4 * Math.max(maxOutputBytes, maxArgBytes, maxChunkBytes, 4 * maxLogLineBytes);
}

/** Kinds that may be held back. */
const LETTERS: ReadonlyMap<string, string> = new Map([
  [`${POST.op}`, FROM_HOST.op],
  [`${POST.drop}`, FROM_HOST.drop],
  [`${POST.chunk}`, FROM_HOST.chunk],
]);
const MEMBERS = 5;

/** Posts of a frame with many; the last one ends like all others. */
const splitMany = (posts: string) => posts.split(MANY.end).slice(0, -1);

/** The frame that a post of many would have been; one that cannot be read has no letter. */
function toFrame(run: string, post: string): readonly string[] {
  const members = post.split(MANY.member);
  const [kind = "", n = "", ...texts] = members;
  const letter = LETTERS.get(kind);
  return letter === undefined || members.length !== MEMBERS || !isWhole(n) ? [] : [letter, run, n, ...texts];
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the guest sent ${what}`);
}

/** Throws for what is no JSON text. */
function checkJson(text: string, type?: "string"): void {
  const value: unknown = JSON.parse(text);
  if (type !== undefined) check(typeof value === type, `no ${type}`);
}

/**
 * What one run sends, checked and counted once more outside of its process: the guest keeps its limits by itself, but
 * a guest that broke out of its realm keeps none. What it may not send costs its execution.
 */
export class Reports {
  readonly #listener: ReportListener;
  readonly #limits: GuestLimits;
  #ops = 0;
  /** Deliveries that were fed, and whose turns nothing was said of. */
  #steps = 0;
  #chunks = 0;
  #chunkBytes = 0;
  #logs = 0;
  /** The last chunk's: mostly the next one's, too. */
  #type = "";

  constructor(listener: ReportListener, limits: GuestLimits) {
    this.#listener = listener;
    this.#limits = limits;
  }

  /** An op has its result; a recorded one may come before the op. */
  settled(): void {
    this.#ops--;
  }

  /** Recorded deliveries go to the guest. */
  fed(deliveries: readonly Pick<HostDelivery, "kind">[]): void {
    this.#steps += deliveries.length;
    for (const { kind } of deliveries) if (kind !== "part") this.settled();
  }

  /** Passes a frame of the run on; never throws. */
  take(fields: readonly string[]): void {
    const [letter, run = "", posts = ""] = fields;
    if (letter === FROM_HOST.many) for (const one of splitMany(posts)) this.#take(toFrame(run, one));
    else this.#take(fields);
  }

  #take(fields: readonly string[]): void {
    const deep = nestingError(fields);
    try {
      if (deep === null) this.#pass(fields);
      else this.#listener.failed(false, deep);
    } catch {
      this.#listener.failed(false, UNREADABLE);
    }
  }

  #pass([letter, , number, first = "", second = "", third = ""]: readonly string[]): void {
    const n = Number(number);
    if (letter === FROM_HOST.op) this.#op(n, first, second, third);
    else if (letter === FROM_HOST.drop) {
      if (this.#listener.drop(n)) this.#ops--;
    } else if (letter === FROM_HOST.chunk) this.#chunk({ index: n, type: first, content: second, text: third === "1" });
    else if (letter === FROM_HOST.log) this.#log(first, second, third);
    else if (letter === FROM_HOST.done) {
      if (first !== "") checkJson(first);
      this.#listener.done(n, first);
    } else if (letter === FROM_HOST.failed) this.#listener.failed(n === 1, first);
    else check(letter === FROM_HOST.step && --this.#steps >= 0, "what is no post");
  }

  #op(pos: number, name: string, args: string, node: string): void {
    check(++this.#ops <= this.#limits.maxConcurrentOps, "more ops than may run at once");
    check(name.length <= MAX_NAME && node.length <= MAX_NODE, "a name that is too long");
    checkJson(args);
    this.#listener.op(pos, name, args, node);
  }

  #chunk(chunk: Chunk): void {
    const { maxChunks, maxChunkBytes, maxChunkTotalBytes } = this.#limits;
    const size = chunk.type.length + chunk.content.length;
    this.#chunkBytes += size;
    check(chunk.index === this.#chunks++, "chunks that are not numbered one after another");
    check(this.#chunks <= maxChunks && size <= maxChunkBytes, "too many or too large chunks");
    check(this.#chunkBytes <= maxChunkTotalBytes, "too much in chunks");
    if (chunk.type !== this.#type) checkJson(chunk.type, "string");
    this.#type = chunk.type;
    checkJson(chunk.content, chunk.text ? "string" : undefined);
    this.#listener.chunk(chunk);
  }

  #log(level: string, message: string, fields: string): void {
    check(++this.#logs <= this.#limits.maxLogLines, "more log lines than it may");
    checkJson(message, "string");
    if (fields !== "") checkJson(fields);
    this.#listener.log(levelOf(level), message, fields);
  }
}
