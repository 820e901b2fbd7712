import { call, openCall } from "../call.ts";
import { makeOpError } from "../errors.ts";
import { current, dropOp } from "../execution.ts";
import { NativePromise, parse, push, rejected, resolved, shift, splice, then } from "../primordials.ts";

const OP = "chat.completions.create";

interface Waiter {
  resolve(result: IteratorResult<unknown>): void;
  reject(error: unknown): void;
}

/** Chunks of one streaming call: pushed by deliveries, pulled by the script. */
export class ChunkStream {
  readonly #queue: unknown[] = [];
  readonly #waiters: Waiter[] = [];
  #pos = -1;
  #ended = false;
  #error: { readonly thrown: unknown } | null = null;
  /** Somebody waits for the whole completion. */
  #wanted = false;
  #final: Promise<unknown> = resolved(null);

  /** Starts the call; resolves at the first part, at the end, or rejects when it fails before either. */
  static open(params: object): Promise<ChunkStream> {
    const stream = new ChunkStream();
    return new NativePromise((resolve, reject) => {
      const { pos, result } = openCall(OP, params, (json) => {
        stream.#push(parse(json) as unknown[]);
        resolve(stream);
      });
      stream.#pos = pos;
      stream.#final = then(result, (text: string) => parse(text));
      then(
        stream.#final,
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
    if (this.#ended) return;
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i];
      const waiter = shift(this.#waiters) as Waiter | undefined;
      if (waiter === undefined) push(this.#queue, chunk);
      else waiter.resolve({ value: chunk, done: false });
    }
  }

  #end(error: { readonly thrown: unknown } | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const waiters = splice(this.#waiters, 0) as Waiter[];
    for (let i = 0; i < waiters.length; i++) {
      const waiter = waiters[i] as Waiter;
      if (error === null) waiter.resolve({ value: undefined, done: true });
      else waiter.reject(error.thrown);
    }
  }

  #next(): Promise<IteratorResult<unknown>> {
    if (this.#queue.length > 0) return resolved({ value: shift(this.#queue), done: false });
    if (this.#error !== null) return rejected(this.#error.thrown);
    if (this.#ended) return resolved({ value: undefined, done: true });
    return new NativePromise((resolve, reject) => {
      push(this.#waiters, { resolve, reject });
    });
  }

  /** The script left its loop: nobody reads on, so the model need not write on, unless the whole is awaited. */
  #leave(): Promise<IteratorResult<unknown>> {
    this.#queue.length = 0;
    if (!this.#ended && !this.#wanted) {
      dropOp(current(), this.#pos);
      const message = "chat: the script left the stream before its end, so there is no whole completion";
      this.#final = rejected(makeOpError(OP, { code: "INVALID_REQUEST", message, details: {} }, null));
      then(this.#final, undefined, () => undefined);
    }
    this.#end(null);
    return resolved({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return { next: () => this.#next(), return: () => this.#leave() };
  }

  /** The whole completion, joined, once the stream has ended. Asked for after leaving the loop early, it rejects; asked for before, the stream goes on. */
  final(): Promise<unknown> {
    this.#wanted = true;
    return this.#final;
  }
}

/** ctx.chat; `runTools` stands there until the code of agents brings its own. */
export function createChat(runTools: () => Promise<never>): object {
  const create = (params: unknown) => {
    const streaming = typeof params === "object" && params !== null && (params as { stream?: unknown }).stream === true;
    return streaming ? ChunkStream.open(params) : call(OP, params ?? {});
  };
  return { completions: { create, runTools } };
}
