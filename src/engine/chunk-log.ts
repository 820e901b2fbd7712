import type { Chunk } from "../../runtime/index.ts";
import { joinText } from "./result.ts";

/** Gets chunks in order, without gaps or repeats. */
export type ChunkListener = (chunks: readonly Chunk[]) => void;

/** Reads stored chunks from an index on. */
export type ChunkSource = (from: number) => Promise<readonly Chunk[]>;

/** Bytes of chunks kept in memory per execution; what is older and stored is read back for late listeners. */
const MAX_RETAINED_BYTES = 4 * 1024 * 1024;

const sizeOf = ({ type, content }: Chunk): number => type.length + content.length + 64;

/** The chunks of one execution, fanned out to whoever listens. */
export class ChunkLog {
  readonly #read: ChunkSource;
  readonly #listeners = new Set<ChunkListener>();
  readonly #stopped = new WeakSet<ChunkListener>();
  readonly #catchingUp = new Set<Promise<void>>();
  #retained: Chunk[] = [];
  #first = 0;
  #bytes = 0;
  #sawText = false;

  constructor(read: ChunkSource) {
    this.#read = read;
  }

  /** Index that the next new chunk has. */
  get next(): number {
    return this.#first + this.#retained.length;
  }

  /** True once `ctx.write` sent something. */
  get sawText(): boolean {
    return this.#sawText;
  }

  /** True while a listener is given older chunks from the store. */
  get isCatchingUp(): boolean {
    return this.#catchingUp.size > 0;
  }

  /** Chunks from an index on as far as they are in memory; null when that one is no longer there. */
  recent(from: number, limit: number): readonly Chunk[] | null {
    if (from < this.#first) return null;
    return this.#retained.slice(from - this.#first, from - this.#first + limit);
  }

  /** All chunks so far, or null when older ones are no longer in memory. */
  get all(): readonly Chunk[] | null {
    return this.#first === 0 ? this.#retained : null;
  }

  /** Takes chunks, passes the new ones on and returns them; repeats of a resumed run are dropped. */
  add(chunks: readonly Chunk[]): readonly Chunk[] {
    const next = this.next;
    const fresh = chunks.length > 0 && (chunks[0]?.index ?? 0) >= next ? chunks : chunks.filter((c) => c.index >= next);
    if (fresh.length === 0) return fresh;
    for (const chunk of fresh) {
      this.#retained.push(chunk);
      this.#bytes += sizeOf(chunk);
      if (chunk.text) this.#sawText = true;
    }
    for (const listener of this.#listeners) this.#tell(listener, fresh);
    return fresh;
  }

  /** Gives the oldest chunks up when memory is short; those below `stored` can be read back. */
  trim(stored: number): void {
    if (this.#bytes <= MAX_RETAINED_BYTES) return;
    let count = 0;
    while (count < this.#retained.length && this.#first + count < stored && this.#bytes > MAX_RETAINED_BYTES / 2) {
      const chunk = this.#retained[count++];
      if (chunk !== undefined) this.#bytes -= sizeOf(chunk);
    }
    this.#retained = this.#retained.slice(count);
    this.#first += count;
  }

  /** Passes the chunks from index `from` on, and every later one, to `listener`; returns the function that ends it. */
  subscribe(listener: ChunkListener, from = 0): () => void {
    if (this.#first <= from) this.#join(listener, from);
    else this.#start(listener, from);
    return () => {
      this.#listeners.delete(listener);
      this.#stopped.add(listener);
    };
  }

  /** Resolves once every listener has what was there when it came. */
  async settled(): Promise<void> {
    while (this.#catchingUp.size > 0) await Promise.all(this.#catchingUp);
  }

  /** The text that `ctx.write` sent. */
  async text(): Promise<string> {
    const parts: string[] = [];
    const reached = await this.#page(0, (chunks) => {
      parts.push(joinText(chunks));
      return true;
    });
    return parts.join("") + joinText(this.#since(reached));
  }

  #start(listener: ChunkListener, from: number): void {
    // A listener whose chunks cannot be read gets nothing more, like one that cannot take them.
    const caughtUp = this.#catchUp(listener, from)
      .catch(() => undefined)
      .finally(() => this.#catchingUp.delete(caughtUp));
    this.#catchingUp.add(caughtUp);
  }

  async #catchUp(listener: ChunkListener, from: number): Promise<void> {
    const reached = await this.#page(from, (chunks) => {
      if (this.#stopped.has(listener)) return false;
      this.#tell(listener, chunks);
      return true;
    });
    if (!this.#stopped.has(listener)) this.#join(listener, reached);
  }

  /** Reads what is no longer in memory; returns the index reached, which is in memory when it returns. */
  async #page(from: number, take: (chunks: readonly Chunk[]) => boolean): Promise<number> {
    let next = from;
    while (next < this.#first) {
      const chunks = await this.#read(next);
      const last = chunks.at(-1);
      if (last === undefined || !take(chunks)) break;
      next = last.index + 1;
    }
    return next;
  }

  #join(listener: ChunkListener, from: number): void {
    const missing = this.#since(from);
    if (missing.length > 0) this.#tell(listener, missing);
    this.#listeners.add(listener);
  }

  #since(index: number): readonly Chunk[] {
    return this.#retained.slice(Math.max(0, index - this.#first));
  }

  #tell(listener: ChunkListener, chunks: readonly Chunk[]): void {
    try {
      listener(chunks);
    } catch {
      // A listener that cannot take chunks must not hurt the run or the other listeners.
      this.#listeners.delete(listener);
    }
  }
}
