import type { ServerResponse } from "node:http";
import { Heartbeat } from "./heartbeat.ts";

/** Server-sent events of one response: what is written in one event-loop turn leaves in one write. */
export interface SseStream {
  /** Queues events; they leave at the end of the turn, or when the reader has taken what was sent before. */
  write(events: string): void;
  /** False while so much waits for the reader that nothing more should be written. */
  hasRoom(): boolean;
  /** Resolves once there is room again, or the reader is gone. */
  room(): Promise<void>;
  /** True once the reader is gone or the stream has ended. */
  isClosed(): boolean;
  end(): void;
  /** Breaks the stream off. */
  abort(): void;
  /** Calls back once when the reader is gone before the end; at once when it is gone already. */
  onGone(listener: () => void): void;
}

const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for this long is dropped, ms. */
const STALLED_MS = 60_000;
/** Bytes (UTF-16 units before they are sent) kept for one reader. */
const MAX_WAITING = 4 * 1024 * 1024;

const heartbeat = new Heartbeat(HEARTBEAT_MS);

class Stream implements SseStream {
  readonly #raw: ServerResponse;
  readonly #stopBeats: () => void;
  readonly #gone: (() => void)[] = [];
  readonly #waiting: (() => void)[] = [];
  #batch = "";
  #isScheduled = false;
  #ended = false;

  constructor(raw: ServerResponse) {
    this.#raw = raw;
    this.#stopBeats = heartbeat.add(() => this.#beat());
    // Without a listener for its timeout, a socket on which nothing moves is destroyed.
    raw.setTimeout(STALLED_MS);
    raw.on("drain", () => this.#flush());
    raw.on("error", () => raw.destroy());
    raw.on("close", () => this.#close());
  }

  write(events: string): void {
    if (this.isClosed()) return;
    this.#batch += events;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#flush());
  }

  hasRoom(): boolean {
    return this.#batch.length + this.#raw.writableLength < MAX_WAITING;
  }

  async room(): Promise<void> {
    while (!this.isClosed() && !this.hasRoom()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  isClosed(): boolean {
    return this.#ended || this.#raw.destroyed;
  }

  end(): void {
    if (this.isClosed()) return;
    this.#ended = true;
    this.#stopBeats();
    this.#raw.end(this.#batch);
    this.#batch = "";
    this.#wake();
  }

  abort(): void {
    this.#raw.destroy();
  }

  onGone(listener: () => void): void {
    if (this.#raw.destroyed && !this.#ended) listener();
    else this.#gone.push(listener);
  }

  #flush(): void {
    this.#isScheduled = false;
    // Until the reader has taken what was sent, the rest waits here: only so its size is known.
    if (this.#batch !== "" && !this.isClosed() && !this.#raw.writableNeedDrain) {
      const text = this.#batch;
      this.#batch = "";
      this.#raw.write(text);
    }
    if (this.hasRoom()) this.#wake();
  }

  #beat(): void {
    if (!this.#raw.writableNeedDrain) this.write(": hb\n\n");
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #close(): void {
    const isEarly = !this.#ended;
    this.#ended = true;
    this.#batch = "";
    this.#stopBeats();
    this.#wake();
    if (isEarly) for (const listener of this.#gone.splice(0)) listener();
  }
}

/** Starts an event stream on `raw` with the given extra headers. */
export function openSse(raw: ServerResponse, headers: Readonly<Record<string, string>>): SseStream {
  raw.writeHead(200, {
    ...headers,
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
  });
  raw.write(": ok\n\n");
  return new Stream(raw);
}
