import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { progressOf } from "./sizes.ts";

/** What was downloaded. */
export interface Downloaded {
  readonly bytes: number;
  readonly headers: Headers;
}

/** Streams what the server sends at `from` into `target`. */
async function receive(call: CommandCall, from: string, target: () => Writable): Promise<Downloaded> {
  const api = await call.api();
  const response = await api.send(from);
  if (response.body === null) throw stop("failed", `${api.url}${from} sent no body`);
  const total = Number(response.headers.get("content-length") ?? 0);
  let bytes = 0;
  try {
    await call.terminal.during("Downloading", (update) =>
      pipeline(
        Readable.fromWeb(response.body as ReadableStream),
        async function* count(source: AsyncIterable<Uint8Array>) {
          for await (const piece of source) {
            bytes += piece.byteLength;
            update(`Downloading, ${progressOf(bytes, total)}`);
            yield piece;
          }
        },
        target(),
        { signal: call.io.signal },
      ),
    );
    return { bytes, headers: response.headers };
  } catch (cause) {
    const isLocal = cause instanceof Error && "path" in cause;
    throw isLocal ? stop("usage", `${cause.path}: cannot be written (${cause.message})`) : api.lost(cause);
  }
}

/** Downloads into `path`; a download that fails leaves nothing there. */
export async function download(call: CommandCall, from: string, path: string): Promise<Downloaded> {
  const part = `${path}.part`;
  try {
    const received = await receive(call, from, () => createWriteStream(part));
    await rename(part, path);
    return received;
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Downloads to stdout. */
export async function downloadToStdout(call: CommandCall, from: string): Promise<void> {
  const api = await call.api();
  const response = await api.send(from);
  try {
    for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      if (!call.io.stdout.write(piece)) await new Promise((resolve) => call.io.stdout.once("drain", resolve));
    }
  } catch (cause) {
    throw api.lost(cause);
  }
}
