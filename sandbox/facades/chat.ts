import { call, callText } from "../call.ts";
import { parse } from "../primordials.ts";

interface Waiter {
  resolve(result: IteratorResult<unknown>): void;
  reject(error: unknown): void;
}

/** Chunks of one streaming call: pushed by deliveries, pulled by the script. */
export class ChunkStream {
  readonly #queue: unknown[] = [];
  #waiter: Waiter | null = null;
  #ended = false;
  #error: { readonly thrown: unknown } | null = null;
  #final: Promise<unknown> = Promise.resolve(null);

  /** Starts the call; resolves at the first part, at the end, or rejects when it fails before either. */
  static open(params: object): Promise<ChunkStream> {
    const stream = new ChunkStream();
    return new Promise((resolve, reject) => {
      const onPart = (json: string) => {
        stream.#push(parse(json) as unknown[]);
        resolve(stream);
      };
      stream.#final = callText("chat.completions.create", params, onPart).then((text) => parse(text));
      stream.#final.then(
        () => {
          stream.#end(null);
          resolve(stream);
        },
        (thrown: unknown) => {
          stream.#end({ thrown });
          reject(thrown);
        },
      );
    });
  }

  #push(chunks: readonly unknown[]): void {
    for (const chunk of chunks) {
      const waiter = this.#waiter;
      this.#waiter = null;
      if (waiter === null) this.#queue.push(chunk);
      else waiter.resolve({ value: chunk, done: false });
    }
  }

  #end(error: { readonly thrown: unknown } | null): void {
    this.#ended = true;
    this.#error = error;
    const waiter = this.#waiter;
    this.#waiter = null;
    if (waiter === null) return;
    if (error === null) waiter.resolve({ value: undefined, done: true });
    else waiter.reject(error.thrown);
  }

  #next(): Promise<IteratorResult<unknown>> {
    if (this.#queue.length > 0) return Promise.resolve({ value: this.#queue.shift(), done: false });
    if (this.#error !== null) return Promise.reject(this.#error.thrown);
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return { next: () => this.#next(), return: () => Promise.resolve({ value: undefined, done: true }) };
  }

  /** The whole completion, joined; resolves when the stream has ended. */
  final(): Promise<unknown> {
    return this.#final;
  }
}

/** ctx.chat. */
export function createChat(): object {
  const create = (params: unknown) => {
    const streaming = typeof params === "object" && params !== null && (params as { stream?: unknown }).stream === true;
    return streaming ? ChunkStream.open(params) : call("chat.completions.create", params ?? {});
  };
  return { completions: { create } };
}
