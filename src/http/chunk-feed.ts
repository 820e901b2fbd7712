import type { Chunk } from "../../runtime/index.ts";
import type { ExecutionResult, Invocation } from "../engine/engine.ts";
import type { SseStream } from "./sse.ts";

/** What a feed needs. */
export interface ChunkFeedOptions {
  readonly sse: SseStream;
  readonly invocation: Pick<Invocation, "subscribe" | "result">;
  /** The events of one chunk. */
  toEvents(chunk: Chunk): string;
  /** The events that end the stream. */
  toEnd(result: ExecutionResult): string;
  /** Stored chunks from an index on, at most `limit`. */
  read(from: number, limit: number): Promise<readonly Chunk[]>;
}

/** Chunks read at a time for a reader that is behind: together at most 4 MiB. */
const PAGE = 16;

/**
 * Passes the chunks of one invocation to one reader. A reader that is far behind is let go of: chunks are not kept for
 * it but read from the store when it has room, until it has caught up.
 */
export class ChunkFeed {
  readonly #options: ChunkFeedOptions;
  #unsubscribe = () => {};
  #next = 0;
  #isBehind = false;
  #result: ExecutionResult | null = null;

  constructor(options: ChunkFeedOptions) {
    this.#options = options;
  }

  /** Begins; the stream ends with the result. */
  start(): void {
    const { sse, invocation } = this.#options;
    sse.onGone(() => this.#unsubscribe());
    this.#subscribe();
    invocation.result.then((result) => {
      this.#result = result;
      if (!this.#isBehind) this.#finish(result);
    });
  }

  #subscribe(): void {
    this.#isBehind = false;
    const unsubscribe = this.#options.invocation.subscribe((chunks) => this.#take(chunks), this.#next);
    this.#unsubscribe = unsubscribe;
    // It may have fallen behind with the chunks that were there already.
    if (this.#isBehind || this.#options.sse.isClosed()) unsubscribe();
  }

  #take(chunks: readonly Chunk[]): void {
    if (this.#isBehind) return;
    const { sse } = this.#options;
    for (const chunk of chunks) {
      if (chunk.index < this.#next) continue;
      if (!sse.hasRoom()) {
        this.#fallBehind();
        return;
      }
      this.#send(chunk);
    }
  }

  #send(chunk: Chunk): void {
    this.#options.sse.write(this.#options.toEvents(chunk));
    this.#next = chunk.index + 1;
  }

  #fallBehind(): void {
    this.#isBehind = true;
    this.#unsubscribe();
    // What cannot be read any more (a deleted run) must not look like a complete stream.
    this.#catchUp().catch(() => this.#options.sse.abort());
  }

  async #catchUp(): Promise<void> {
    const { sse, read } = this.#options;
    for (;;) {
      await sse.room();
      if (sse.isClosed()) return;
      const result = this.#result;
      const page = await read(this.#next, PAGE);
      for (const chunk of page) this.#send(chunk);
      if (page.length > 0) continue;
      if (result === null) this.#subscribe();
      else this.#finish(result);
      return;
    }
  }

  #finish(result: ExecutionResult): void {
    const { sse, toEnd } = this.#options;
    this.#unsubscribe();
    sse.write(toEnd(result));
    sse.end();
  }
}
