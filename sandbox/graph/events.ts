import { door } from "./door.ts";
import { MAX_INLINE_CHARS, type NodeEvent, type NodeFailure } from "./types.ts";

type Emit = (type: string, content: unknown) => void;

/** Characters of outputs that one run tells of; what comes after has no output in its event. */
const MAX_TOLD_CHARS = 32 * 1024 * 1024;
/** Pieces of text told one by one; later ones are put together. */
const SINGLE_PIECES = 3_000;
const TOGETHER_CHARS = 4_000;
/** Events of the calls of models that a run tells of. */
const MAX_PIECES = 6_000;
const MAX_ERROR_CHARS = 16_384;

interface Named {
  readonly node_id: string;
  readonly node_type: string;
  readonly kind: string;
}

/** Tells readers of a run of its nodes; it never breaks a run. */
export class Events {
  readonly #emit: Emit;
  readonly #waiting = new Map<string, string>();
  #chars = 0;
  #pieces = 0;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  #tell(event: NodeEvent): void {
    try {
      this.#emit(event.type, event.content);
    } catch {
      // Too many chunks, or too many bytes: the run is worth more than what is told of it.
    }
  }

  start(node: Named): void {
    this.#tell({ type: "node_start", content: { ...node, at: door().now() } });
  }

  chunk(id: string, text: string): void {
    const waiting = (this.#waiting.get(id) ?? "") + text;
    const isHeld = this.#pieces >= SINGLE_PIECES && waiting.length < TOGETHER_CHARS;
    if (isHeld || this.#pieces >= MAX_PIECES) this.#waiting.set(id, waiting);
    else this.#piece(id, waiting);
  }

  #piece(id: string, chunk: string): void {
    this.#waiting.delete(id);
    this.#pieces++;
    for (let at = 0; at < chunk.length; at += MAX_INLINE_CHARS) {
      this.#tell({ type: "node_chunk", content: { node_id: id, chunk: chunk.slice(at, at + MAX_INLINE_CHARS) } });
    }
  }

  retry(id: string, told: { readonly attempt: number; readonly waitMs: number; readonly error: NodeFailure }): void {
    const { attempt, waitMs, error } = told;
    // What the failed attempt said is no part of the next one's answer.
    this.#waiting.delete(id);
    const content = { node_id: id, attempt, wait_ms: waitMs, error: clipped(error), at: door().now() };
    this.#tell({ type: "node_retry", content });
  }

  /** `json`: the value's text. */
  complete(
    node: Named,
    told: { readonly attempts: number; readonly route?: string | undefined; readonly json: string },
  ): void {
    const { attempts, route, json } = told;
    const rest = this.#waiting.get(node.node_id);
    if (rest !== undefined) this.#piece(node.node_id, rest);
    const facts = { ...node, attempts, at: door().now(), ...(route === undefined ? {} : { route }) };
    this.#chars += json.length;
    if (this.#chars > MAX_TOLD_CHARS) this.#tell({ type: "node_complete", content: facts });
    else if (json.length <= MAX_INLINE_CHARS)
      this.#tell({ type: "node_complete", content: { ...facts, output: JSON.parse(json) } });
    else this.#tell({ type: "node_complete", content: { ...facts, parts: this.#parts(node.node_id, json) } });
  }

  #parts(id: string, json: string): number {
    let part = 0;
    for (let at = 0; at < json.length; at += MAX_INLINE_CHARS) {
      const text = json.slice(at, at + MAX_INLINE_CHARS);
      this.#tell({ type: "node_output", content: { node_id: id, part: part++, text } });
    }
    return part;
  }

  error(
    node: Named,
    told: { readonly attempts: number; readonly error: NodeFailure; readonly handled: boolean },
  ): void {
    this.#tell({ type: "node_error", content: { ...node, ...told, error: clipped(told.error), at: door().now() } });
  }

  skip(ids: readonly string[]): void {
    for (let at = 0; at < ids.length; at += 100) {
      this.#tell({ type: "node_skip", content: { node_ids: ids.slice(at, at + 100), at: door().now() } });
    }
  }
}

const clipped = ({ message, ...rest }: NodeFailure): NodeFailure => ({
  ...rest,
  message: message.slice(0, MAX_ERROR_CHARS),
});
