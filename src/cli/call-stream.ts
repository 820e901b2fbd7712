import { type Api, toError } from "./api.ts";
import type { CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { asNumber, asRecord, asRecords, asText, type JsonRecord, parseJson, showValue } from "./json.ts";
import { readEvents } from "./sse.ts";

/** Path of the call of a workflow. */
const INVOKE = "/workflow/chat/completions";
/** Path of the call of an agent. */
export const INVOKE_AGENT = "/agent/chat/completions";

/** The answer of a finished call. */
export interface Answer {
  /** The `chat.completion` object. */
  readonly body: JsonRecord;
  readonly executionId: string | null;
  readonly cache: string | null;
  /** Text that the script streamed with `ctx.write`; empty when none. */
  readonly streamed: string;
}

const factsOf = (response: Response) => ({
  executionId: response.headers.get("x-weft-execution-id"),
  cache: response.headers.get("x-weft-cache"),
});

/** Calls a workflow, or what another path calls, and waits for the whole answer. */
export async function callWhole(api: Api, body: object, path = INVOKE): Promise<Answer> {
  const response = await api.send(path, { json: { ...body, background: false } });
  return { body: asRecord(parseJson(await api.text(response))), streamed: "", ...factsOf(response) };
}

/** What a stream of frames tells its reader. */
export interface FrameReader {
  /** Once, before the first frame. */
  started?(executionId: string | null): void;
  /** Every frame as parsed. */
  frame?(frame: JsonRecord): void;
  /** Answer text of `ctx.write`. */
  text?(text: string): void;
  /** A chunk of `ctx.emit`. */
  chunk?(type: string, content: unknown): void;
  /** Once, when the result has arrived or the stream has failed. */
  end?(): void;
}

function read(frame: JsonRecord, reader: FrameReader): string {
  reader.frame?.(frame);
  const type = asText(frame["type"]) ?? "";
  const delta = asText(asRecord(asRecords(frame["choices"])[0]?.["delta"])["content"]);
  if (type === "delta" && delta !== null) {
    reader.text?.(delta);
    return delta;
  }
  reader.chunk?.(type, frame["content"]);
  return "";
}

async function* readFrames(api: Api, response: Response): AsyncGenerator<string> {
  try {
    for await (const data of readEvents(response.body ?? new ReadableStream())) {
      if (data === "[DONE]") return;
      yield data;
    }
  } catch (cause) {
    throw api.lost(cause);
  }
}

async function readToEnd(
  frames: AsyncIterable<string>,
  reader: FrameReader,
): Promise<Pick<Answer, "body" | "streamed">> {
  let streamed = "";
  for await (const data of frames) {
    const frame = asRecord(parseJson(data));
    if (frame["error"] !== undefined) throw toError(frame, asNumber(asRecord(frame["error"])["status"]) ?? 500);
    if (frame["type"] === undefined) {
      reader.frame?.(frame);
      return { body: frame, streamed };
    }
    streamed += read(frame, reader);
  }
  throw stop("failed", "The stream ended before the workflow's result arrived.");
}

/** Calls a workflow and tells `reader` every frame as it comes; an error frame is thrown. */
export async function callStream(
  api: Api,
  body: object,
  options: { readonly reader: FrameReader; readonly signal?: AbortSignal; readonly path?: string },
): Promise<Answer> {
  const { reader, signal, path = INVOKE } = options;
  const response = await api.send(path, {
    json: { ...body, stream: true },
    ...(signal === undefined ? {} : { signal }),
  });
  const facts = factsOf(response);
  reader.started?.(facts.executionId);
  try {
    return { ...(await readToEnd(readFrames(api, response), reader)), ...facts };
  } finally {
    reader.end?.();
  }
}

/** A reader that shows text as it comes and each chunk on a line of its own. */
export function showFrames(call: CommandCall): FrameReader {
  const { io, terminal } = call;
  let open = false;
  const end = () => {
    if (open) io.stdout.write("\n");
    open = false;
  };
  return {
    end,
    text(text) {
      io.stdout.write(text);
      open = !text.endsWith("\n");
    },
    chunk(type, content) {
      end();
      const shown =
        content === null || content === undefined
          ? ""
          : ` ${typeof content === "string" ? content : JSON.stringify(content)}`;
      terminal.print(`${terminal.cyan(`[${type}]`)}${shown}`);
    },
  };
}

/** Prints the result of a call: what was streamed is not repeated. */
export function showAnswer(call: CommandCall, answer: Answer, startedAt: number): void {
  const { io, terminal } = call;
  const output = answer.body["output"];
  if (answer.streamed === "" || output !== answer.streamed) terminal.print(showValue(output));
  if (!io.interactive) return;
  const tokens = asNumber(asRecord(answer.body["usage"])["total_tokens"]) ?? 0;
  const facts = [
    `${((Date.now() - startedAt) / 1000).toFixed(2)} s`,
    `cache ${answer.cache ?? "unknown"}`,
    ...(tokens > 0 ? [`${tokens} tokens`] : []),
    answer.executionId ?? "",
  ];
  terminal.note(terminal.dim(facts.filter((fact) => fact !== "").join(" · ")));
}
