import type { Chunk, ErrorRecord } from "../../../../runtime/index.ts";
import { toCompletionId, toUsageJson } from "../../../engine/completion.ts";
import type { ExecutionResult, Invocation } from "../../../engine/engine.ts";
import type { Request } from "../dialect.ts";
import { statusOf, toErrorMember } from "./errors.ts";

/** How a stream words its frames. */
export interface FrameStyle {
  /** The openai `.stream()` helper joins `message` and `delta`: leave `message` out for it. */
  readonly helper: boolean;
  /** Framing D: the answer text travels in a frame of its own, typed `output`. */
  readonly split: boolean;
}

/** How the client of a request wants its frames. */
export function frameStyleOf({ headers }: Pick<Request, "headers">): FrameStyle {
  return {
    helper: headers["x-stainless-helper-method"] !== undefined,
    split: headers["x-workflow-stream"] === "split",
  };
}

/** The frames of one stream: all carry the same id, created and model. */
export interface Frames {
  chunk(chunk: Chunk): string;
  /** The last frame(s) before `[DONE]`. */
  end(result: ExecutionResult): string;
}

const DONE = "data: [DONE]\n\n";

type Completed = Extract<ExecutionResult, { status: "completed" }>;

/** Framing C+ of contracts/script-api.md (D when `split`). Payloads are JSON texts already and are only concatenated. */
export function createFrames(
  invocation: Pick<Invocation, "executionId" | "createdAt" | "requestId">,
  model: string,
  style: FrameStyle,
): Frames {
  const { executionId, createdAt, requestId } = invocation;
  const created = Math.floor(createdAt / 1_000);
  const head = `data: {"id":"${toCompletionId(executionId)}","created":${created},"model":${JSON.stringify(model)}`;
  const open = `${head},"object":"chat.completion.chunk","choices":[{"index":0,"delta":`;
  const emitted = `${open}{},"finish_reason":null}],"type":`;

  const textFrame = (type: string, content: string) =>
    `${open}{"role":"assistant","content":${content}},"finish_reason":null}],"type":${type},"content":${content}}\n\n`;

  const final = (result: Completed) => {
    const answer = `{"role":"assistant","content":${JSON.stringify(result.content)}}`;
    const delta = result.streamedText || style.split ? "{}" : answer;
    const message = style.helper ? "" : `"message":${answer},`;
    const choice = `{"index":0,${message}"delta":${delta},"finish_reason":"stop"}`;
    const rest = `"usage":${toUsageJson(result.usage)},"output":${result.output}`;
    return `${head},"object":"chat.completion","choices":[${choice}],${rest},"request_id":${JSON.stringify(requestId)}}\n\n`;
  };

  const failure = (error: ErrorRecord) => {
    const member = { ...toErrorMember(error, requestId), status: statusOf(error) };
    return `data: ${JSON.stringify({ error: member })}\n\n`;
  };

  return {
    chunk: ({ type, content, text }) =>
      text ? textFrame('"delta"', content) : `${emitted}${type},"content":${content}}\n\n`,
    end(result) {
      if (result.status !== "completed") return failure(result.error) + DONE;
      const lead = style.split && !result.streamedText ? textFrame('"output"', JSON.stringify(result.content)) : "";
      return lead + final(result) + DONE;
    },
  };
}
