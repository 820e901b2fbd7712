import type { ServerResponse } from "node:http";

/** Server-sent events of one response: everything written in one event-loop turn leaves in one write. */
export interface SseStream {
  write(frame: string): void;
  end(): void;
  /** Calls back once when the reader is gone before the end. */
  onGone(listener: () => void): void;
}

const HEARTBEAT_MS = 15_000;
/** A reader this far behind is dropped; it may come back and join the run. */
const MAX_BEHIND_BYTES = 32 * 1024 * 1024;
const HEARTBEAT = ": hb\n\n";

const open = new Set<{ beat(): void }>();
let heart: NodeJS.Timeout | null = null;

function watch(stream: { beat(): void }): void {
  open.add(stream);
  heart ??= setInterval(() => {
    for (const one of open) one.beat();
  }, HEARTBEAT_MS).unref();
}

function unwatch(stream: { beat(): void }): void {
  open.delete(stream);
  if (open.size > 0 || heart === null) return;
  clearInterval(heart);
  heart = null;
}

/** Starts an event stream on `raw` with the given extra headers. */
export function openSse(raw: ServerResponse, headers: Readonly<Record<string, string>>): SseStream {
  let batch = "";
  let scheduled = false;
  let ended = false;
  const gone: (() => void)[] = [];
  raw.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    ...headers,
  });
  raw.write(": ok\n\n");
  const flush = () => {
    scheduled = false;
    const text = batch;
    batch = "";
    if (text === "" || raw.destroyed) return;
    raw.write(text);
    if (raw.writableLength > MAX_BEHIND_BYTES) raw.destroy();
  };
  const beats = { beat: () => write(HEARTBEAT) };
  const write = (frame: string) => {
    if (ended || raw.destroyed) return;
    batch += frame;
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  };
  raw.on("close", () => {
    unwatch(beats);
    if (!ended) for (const listener of gone) listener();
    ended = true;
  });
  raw.on("error", () => raw.destroy());
  watch(beats);
  return {
    write,
    end() {
      if (ended) return;
      flush();
      ended = true;
      unwatch(beats);
      raw.end();
    },
    onGone: (listener) => void gone.push(listener),
  };
}
