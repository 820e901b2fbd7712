import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fail } from "../../runtime/index.ts";
import type { Recording, RecordingLine } from "./format.ts";
import { readRecording } from "./read-recording.ts";

/** Ending of the files that recordings are kept in. */
export const RECORDING_SUFFIX = ".weft.jsonl";

/** Reads a recording from disk; INVALID_REQUEST for a file that cannot be read or is no recording. `shown`: its name in errors. */
export async function openRecording(path: string, shown: string): Promise<Recording> {
  const input = createReadStream(path, "utf8");
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  // Without a listener a file that cannot be opened would end the process.
  const failed = new Promise<never>((_resolve, reject) => {
    input.on("error", (cause) => {
      const message = `${shown}: cannot be read (${cause.message})`;
      reject(fail("INVALID_REQUEST", { message, param: "recording" }, cause));
    });
  });
  return Promise.race([readRecording(lines), failed]).finally(() => input.destroy());
}

/** The lines of a recording in memory. */
export function* linesOf(recording: Recording): Iterable<RecordingLine> {
  const { head, bundle, sources, accessories, records, chunks, logs } = recording;
  yield head;
  yield { type: "bundle", ...bundle, sources };
  for (const [key, bytes] of accessories)
    yield { type: "accessory", key, base64: Buffer.from(bytes).toString("base64") };
  for (const record of records) yield { type: "delivery", record };
  for (const chunk of chunks) yield { type: "chunk", chunk };
  for (const line of logs) yield { type: "log", line };
  yield { type: "end", lines: 2 + accessories.size + records.length + chunks.length + logs.length };
}

/** Writes a recording; the file is there whole or not at all. */
export async function writeRecording(path: string, recording: Recording): Promise<void> {
  const part = `${path}.part`;
  function* texts() {
    for (const line of linesOf(recording)) yield `${JSON.stringify(line)}\n`;
  }
  try {
    await pipeline(Readable.from(texts()), createWriteStream(part));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
