import { type Chunk, fail, type JournalRecord, type LogLine } from "../../runtime/index.ts";
import { RECORDING_FORMAT, type Recording, type RecordingHead, type RecordingLine } from "./format.ts";

function refuse(line: number, what: string): Error {
  return fail("INVALID_REQUEST", { message: `recording, line ${line}: ${what}`, param: "recording", line });
}

function parseLine(text: string, line: number): RecordingLine {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw fail("INVALID_REQUEST", { message: `recording, line ${line}: is not JSON`, param: "recording", line }, cause);
  }
  if (typeof parsed === "object" && parsed !== null && "type" in parsed) return parsed as RecordingLine;
  throw refuse(line, "must be an object with a type");
}

function checkHead(head: RecordingHead): void {
  if (head.format !== RECORDING_FORMAT)
    throw refuse(1, `has format ${JSON.stringify(head.format)}; this Weft reads format ${RECORDING_FORMAT}`);
  const { execution, job } = head;
  const isWhole =
    typeof execution?.id === "string" &&
    typeof execution.end?.status === "string" &&
    Array.isArray(execution.secretNames) &&
    Number.isFinite(execution.startedAt) &&
    typeof job?.seed === "string" &&
    typeof job.data === "string" &&
    typeof job.limits === "object";
  if (!isWhole) throw refuse(1, "lacks a member of execution or job");
}

/** What was read so far; `take` refuses what is out of place. */
class Reader {
  #head: RecordingHead | null = null;
  #bundle: Extract<RecordingLine, { type: "bundle" }> | null = null;
  readonly #accessories = new Map<string, Uint8Array>();
  readonly #records: JournalRecord[] = [];
  readonly #chunks: Chunk[] = [];
  readonly #logs: LogLine[] = [];
  #lines = 0;
  #ended = false;

  take(text: string): void {
    this.#lines++;
    if (this.#ended) throw refuse(this.#lines, "comes after the end");
    const line = parseLine(text, this.#lines);
    if (this.#lines === 1 && line.type !== "recording") throw refuse(1, "is not the first line of a recording");
    switch (line.type) {
      case "recording":
        if (this.#lines > 1) throw refuse(this.#lines, "begins another recording");
        checkHead(line);
        this.#head = line;
        break;
      case "bundle":
        this.#bundle = line;
        break;
      case "accessory":
        this.#accessories.set(line.key, Buffer.from(line.base64, "base64"));
        break;
      case "delivery":
        if (line.record?.seq !== this.#records.length)
          throw refuse(this.#lines, `delivery ${line.record?.seq} comes where ${this.#records.length} is expected`);
        this.#records.push(line.record);
        break;
      case "chunk":
        this.#chunks.push(line.chunk);
        break;
      case "log":
        this.#logs.push(line.line);
        break;
      case "end":
        this.#ended = true;
        break;
      default:
        throw refuse(this.#lines, `has an unknown type ${JSON.stringify((line as { type: unknown }).type)}`);
    }
  }

  finish(): Recording {
    if (this.#head === null || this.#bundle === null || !this.#ended)
      throw refuse(this.#lines, "is the last one, but the recording is not whole: get it again");
    const { code, hash, sourceMap, sources } = this.#bundle;
    return {
      head: this.#head,
      bundle: { code, hash, sourceMap },
      sources,
      accessories: this.#accessories,
      records: this.#records,
      chunks: this.#chunks,
      logs: this.#logs,
    };
  }
}

/** Reads a recording line by line; throws INVALID_REQUEST naming the line. */
export async function readRecording(lines: AsyncIterable<string> | Iterable<string>): Promise<Recording> {
  const reader = new Reader();
  for await (const line of lines) if (line !== "") reader.take(line);
  return reader.finish();
}
