import type { NodeRun } from "../types.ts";
import { isFields } from "./options.ts";

/** How the answer of a model becomes a node's value: an object where it is one (`object`), its text, or a block's data. */
export type AnswerShape = "object" | "text" | "block";

type Fields = Readonly<Record<string, unknown>>;

interface Completion {
  readonly model?: unknown;
  readonly usage?: unknown;
  readonly choices: readonly { readonly message: { readonly content?: unknown; readonly tool_calls?: unknown } }[];
}

interface Chunks
  extends AsyncIterable<{ readonly choices?: readonly { readonly delta?: { readonly content?: unknown } }[] }> {
  final(): Promise<unknown>;
}

const FENCE = /^```(?:json)?\s*\n([\s\S]*?)\n?```$/;

function parsed(text: string): Fields | null {
  const trimmed = text.trim();
  const bare = FENCE.exec(trimmed)?.[1] ?? trimmed;
  if (!bare.startsWith("{")) return null;
  try {
    const value = JSON.parse(bare) as unknown;
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

/** A model's completion as the value of a node. */
export function toAnswer(shape: AnswerShape, completion: unknown): unknown {
  const { choices, model, usage } = completion as Completion;
  const { content, tool_calls: calls } = choices[0]?.message ?? {};
  const text =
    typeof content === "string" ? content : content === null || content === undefined ? "" : JSON.stringify(content);
  const tools = Array.isArray(calls) && calls.length > 0 ? { tool_calls: calls } : {};
  if (shape === "text") return text;
  if (shape === "block") return { output: text, model: model ?? null, usage: usage ?? null, ...tools };
  return parsed(text) ?? { response: text, ...tools };
}

/** Hands the text of a stream on, piece by piece; resolves to the whole completion. */
export async function passOnText(stream: unknown, node: Pick<NodeRun, "chunk">): Promise<unknown> {
  const chunks = stream as Chunks;
  for await (const chunk of chunks) {
    const piece = chunk.choices?.[0]?.delta?.content;
    if (typeof piece === "string" && piece !== "") node.chunk(piece);
  }
  return chunks.final();
}
