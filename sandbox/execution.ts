import { errorClasses, makeOpError } from "./errors.ts";
import { indexOf, mapDelete, mapGet, mapHas, mapSet, NativeMap } from "./primordials.ts";
import { createFloat, createRandom, type RandomSource } from "./random.ts";
import { type FedItem, type GuestLimits, MANY, POST, READ } from "./wire.ts";

/** The one way out of the guest: kind, number, name, text, second text. */
export type Post = (...post: [kind: number, n: number, name: string, text: string, more: string]) => void;

/** How a posted op continues in the guest. */
export interface PendingOp {
  settle(kind: "result" | "error", payload: string): void;
  part(payload: string): void;
}

/** The guest's side of one running execution; nothing of it is reachable by the script. */
export interface GuestExecution {
  readonly run: number;
  readonly limits: GuestLimits;
  readonly startedAt: number;
  readonly deadlineAt: number | null;
  readonly seed: string;
  now: number;
  reads: number;
  nextPos: number;
  pending: number;
  readonly ops: Map<number, PendingOp>;
  chunks: number;
  chunkBytes: number;
  wroteText: boolean;
  logs: number;
  /** Keys of the version's accessories. */
  accessories: readonly string[];
  /** The node of a graph whose ops are being posted; empty for none. */
  node: string;
  closed: boolean;
  random: RandomSource | null;
  float: (() => number) | null;
  /** Fires ctx.signal; set by ctx when the signal is first asked for. */
  onAbort: ((reason: string) => void) | null;
  aborted: string | null;
  /** Recorded deliveries that wait for their turns; null: none do. */
  feed: readonly FedItem[] | null;
  /** Items of the feed that are delivered. */
  fed: number;
  /** Posts held back meanwhile; see `many` in wire.ts. */
  held: string;
}

let active: GuestExecution | null = null;
let post: Post = () => undefined;

/** Sets the callback out of the realm; called once, at boot. */
export function connect(callback: Post): void {
  post = callback;
}

/** Makes `execution` the one whose turn it is (null between turns). */
export function enter(execution: GuestExecution | null): void {
  active = execution;
}

/** The execution whose turn it is; guest code only ever runs inside a turn. */
export function current(): GuestExecution {
  if (active === null)
    throw new errorClasses.WorkflowError("No execution is running here.", { code: "INVALID_REQUEST" });
  return active;
}

/** The execution whose turn it is, or null while the realm boots. */
export function maybeCurrent(): GuestExecution | null {
  return active;
}

/** Posts held back in characters, at the most. */
const MAX_HELD = 65_536;

/** Posts what was held back; where the stack is full this throws, and nothing is lost. */
export function postHeld(execution: GuestExecution): void {
  if (execution.held === "") return;
  post(POST.many, 0, "", execution.held, "");
  execution.held = "";
}

/**
 * Posts for the current execution unless its door is closed. Plain parameters: destructuring a list would go through
 * an iterator that a script can replace.
 */
export function send(kind: number, n: number, name: string, text: string, more = ""): void {
  if (active === null || active.closed) return;
  if (active.feed !== null && kind <= POST.chunk) {
    const { end, member } = MANY;
    if (active.held.length > MAX_HELD) postHeld(active);
    active.held += kind + member + n + member + name + member + text + member + more + end;
    return;
  }
  postHeld(active);
  post(kind, n, name, text, more);
}

/** The current execution's clock; notes that the clock was read. */
export function clock(): number {
  const execution = current();
  execution.reads |= READ.clock;
  return execution.now;
}

/** The current execution's random bytes; notes that randomness was read. */
export function random(): RandomSource {
  const execution = current();
  execution.reads |= READ.random;
  execution.random ??= createRandom(execution.seed);
  return execution.random;
}

/** The current execution's Math.random. */
export function randomFloat(): number {
  const execution = current();
  execution.reads |= READ.random;
  execution.float ??= createFloat(random());
  return execution.float();
}

/** Throws the LimitError that names `limit`. */
export function limitError(limit: string, message: string): Error {
  return makeOpError("", { code: "LIMIT_EXCEEDED", message, details: { limit } }, null);
}

/** True when a text can be a field of a frame (see isField in wire.ts) and a member of a post among many. */
const travels = (name: string) =>
  indexOf(name, "\n") < 0 && indexOf(name, "\t") < 0 && indexOf(name, MANY.end) < 0 && indexOf(name, MANY.member) < 0;

/** Characters of an op's name. */
const MAX_NAME = 100;

/** Posts one op of the current execution; `pending` is told how it goes on. Throws LimitError over a cap, CAPABILITY_DENIED for a name that no op can have. */
export function postOp(name: string, args: string, pending: PendingOp): number {
  const execution = current();
  const { maxArgBytes, maxConcurrentOps } = execution.limits;
  // Bundles can name any op; a name that cannot travel would leave a hole in the numbering.
  if (typeof name !== "string" || name.length > MAX_NAME || !travels(name)) {
    throw makeOpError("", { code: "CAPABILITY_DENIED", message: "ctx has no call of that name" }, null);
  }
  if (args.length > maxArgBytes)
    throw limitError(
      "maxArgBytes",
      `${name}: arguments of ${args.length} characters, over ${maxArgBytes} bytes (maxArgBytes)`,
    );
  if (execution.pending >= maxConcurrentOps) {
    throw limitError("maxConcurrentOps", `${name}: more than ${maxConcurrentOps} ctx calls at once`);
  }
  const pos = execution.nextPos;
  mapSet(execution.ops, pos, pending);
  // Where the stack is full this throws: a number counts once its post is out.
  send(POST.op, pos, name, args, execution.node);
  execution.nextPos = pos + 1;
  execution.pending++;
  return pos;
}

/** Characters of a node's id. */
const MAX_NODE = 200;

/** Runs `begin`; the ops that it posts at once count for a node of a graph. */
export function asNode<T>(node: unknown, begin: () => T): T {
  const execution = current();
  const before = execution.node;
  const isId = typeof node === "string" && node.length <= MAX_NODE && travels(node);
  execution.node = isId ? node : "";
  try {
    return begin();
  } finally {
    execution.node = before;
  }
}

/** The clock for whoever only tells of time: reading it makes no result depend on it. */
export function quietClock(): number {
  return current().now;
}

/** Gives an op up: a completion that still arrives is ignored. */
export function dropOp(execution: GuestExecution, pos: number): void {
  if (!mapHas(execution.ops, pos)) return;
  mapDelete(execution.ops, pos);
  execution.pending--;
  send(POST.drop, pos, "", "");
}

/** Takes the op at `pos` out of the waiting ones. */
export function takeOp(execution: GuestExecution, pos: number): PendingOp | undefined {
  const pending = mapGet(execution.ops, pos) as PendingOp | undefined;
  if (pending !== undefined) {
    mapDelete(execution.ops, pos);
    execution.pending--;
  }
  return pending;
}

/** The op at `pos`, left waiting: for parts. */
export function peekOp(execution: GuestExecution, pos: number): PendingOp | undefined {
  return mapGet(execution.ops, pos) as PendingOp | undefined;
}

/** A fresh guest execution. */
export function createExecution(facts: {
  readonly run: number;
  readonly limits: GuestLimits;
  readonly now: number;
  readonly deadlineAt: number | null;
  readonly seed: string;
}): GuestExecution {
  return {
    run: facts.run,
    limits: facts.limits,
    startedAt: facts.now,
    deadlineAt: facts.deadlineAt,
    seed: facts.seed,
    now: facts.now,
    reads: 0,
    nextPos: 0,
    pending: 0,
    ops: new NativeMap(),
    chunks: 0,
    chunkBytes: 0,
    wroteText: false,
    logs: 0,
    accessories: [],
    node: "",
    closed: false,
    random: null,
    float: null,
    onAbort: null,
    aborted: null,
    feed: null,
    fed: 0,
    held: "",
  };
}
