import type { LoopListener } from "./tool-loop.ts";
import { type Fields, isFields } from "./types.ts";

interface Waiter {
  resolve(result: IteratorResult<unknown>): void;
  reject(error: unknown): void;
}

const choice = (delta: Fields, finish: string | null) => [{ index: 0, delta, finish_reason: finish }];

/** The chunks of one conversation: text as OpenAI deltas, what tools do as chunks with `type` and `content`. */
export class AgentStream implements LoopListener {
  readonly #queue: unknown[] = [];
  readonly #waiters: Waiter[] = [];
  readonly #whole: Promise<Fields>;
  #head: Fields = { id: "", object: "chat.completion.chunk", created: 0, model: "" };
  #ended = false;
  #wanted = false;
  #left = false;
  #error: { readonly thrown: unknown } | null = null;

  /** `begin` starts the conversation that tells this stream. */
  constructor(begin: (listener: LoopListener) => Promise<Fields>) {
    this.#whole = begin(this);
    this.#whole.then(
      (completion) => {
        const { choices, usage } = completion as { choices: readonly Fields[]; usage: unknown };
        const finish = String(choices[0]?.["finish_reason"] ?? "stop");
        this.#push({ ...this.#head, choices: choice({}, finish), usage });
        this.#end(null);
      },
      (thrown: unknown) => this.#end({ thrown }),
    );
  }

  head({ id, created, model }: Fields): void {
    this.#head = { id, object: "chat.completion.chunk", created, model };
  }

  text(delta: string): void {
    this.#push({ ...this.#head, choices: choice({ role: "assistant", content: delta }, null) });
  }

  event(type: "tool_call" | "tool_result", content: Fields): void {
    this.#push({ ...this.#head, choices: choice({}, null), type, content });
  }

  left(): boolean {
    return this.#left && !this.#wanted;
  }

  #push(chunk: unknown): void {
    if (this.#ended || this.#left) return;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#queue.push(chunk);
    else waiter.resolve({ value: chunk, done: false });
  }

  #end(error: { readonly thrown: unknown } | null): void {
    this.#ended = true;
    this.#error = error;
    for (const waiter of this.#waiters.splice(0)) {
      if (error === null) waiter.resolve({ value: undefined, done: true });
      else waiter.reject(error.thrown);
    }
  }

  #next(): Promise<IteratorResult<unknown>> {
    if (this.#queue.length > 0) return Promise.resolve({ value: this.#queue.shift(), done: false });
    if (this.#error !== null) return Promise.reject(this.#error.thrown);
    if (this.#ended || this.#left) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return {
      next: () => this.#next(),
      return: () => {
        this.#left = true;
        this.#queue.length = 0;
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }

  /** The whole completion, once the conversation has ended; for one that was left early it rejects. */
  final(): Promise<Fields> {
    this.#wanted = true;
    return this.#whole;
  }
}

/** True for what `create` was given when it asks for a stream. */
export const wantsStream = (params: unknown): boolean => isFields(params) && params["stream"] === true;
