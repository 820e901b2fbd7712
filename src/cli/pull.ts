import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { RECORDING_SUFFIX } from "../recording/recording-file.ts";
import { type Command, type CommandCall, firstArg } from "./command.ts";
import { stop } from "./exit.ts";
import { sizeOf } from "./sizes.ts";

/** The path of an execution's recording. */
export function recordingPath(execution: string, accessories: boolean): string {
  return `/api/v1/runs/${encodeURIComponent(execution)}/recording${accessories ? "" : "?accessories=false"}`;
}

/** Downloads into `path`; a download that fails leaves nothing there. Returns the bytes written. */
async function download(call: CommandCall, from: string, path: string): Promise<number> {
  const api = await call.api();
  const response = await api.send(from);
  if (response.body === null) throw stop("failed", `${api.url}${from} sent no body`);
  const part = `${path}.part`;
  let bytes = 0;
  try {
    await call.terminal.during("Downloading", (update) =>
      pipeline(
        Readable.fromWeb(response.body as ReadableStream),
        async function* count(source: AsyncIterable<Uint8Array>) {
          for await (const piece of source) {
            bytes += piece.byteLength;
            update(`Downloading, ${sizeOf(bytes)}`);
            yield piece;
          }
        },
        createWriteStream(part),
        { signal: call.io.signal },
      ),
    );
    await rename(part, path);
    return bytes;
  } catch (cause) {
    await rm(part, { force: true });
    const isLocal = cause instanceof Error && "path" in cause;
    throw isLocal ? stop("usage", `${path}: cannot be written (${(cause as Error).message})`) : api.lost(cause);
  }
}

/** `weft pull`: writes an execution to a file that can be replayed anywhere. */
export const pull: Command = {
  name: "pull",
  about: "write an execution's bundle, sources, journal and output to a file for `weft replay`",
  args: [{ name: "execution", about: "execution id" }],
  flags: [
    { flags: "--output <file>", about: `where to; default: <execution>${RECORDING_SUFFIX}` },
    { flags: "--no-accessories", about: "leave the contents of its accessories out" },
  ],
  examples: ["weft pull exec_0123456789abcdef0123456789abcdef"],
  async run(call) {
    const { terminal, options, io } = call;
    const execution = firstArg(call);
    const shown = options.text("output") ?? `${execution}${RECORDING_SUFFIX}`;
    const bytes = await download(call, recordingPath(execution, !options.off("accessories")), resolve(io.cwd, shown));
    if (call.json) return terminal.print(JSON.stringify({ file: shown, bytes }));
    terminal.print(`${terminal.green("✓")} ${shown} (${sizeOf(bytes)})`);
    terminal.note(terminal.dim(`  Replay it with: weft replay ${shown}`));
  },
};
