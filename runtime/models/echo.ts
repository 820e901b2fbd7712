import { createHash } from "node:crypto";
import type { ModelObject } from "./completion.ts";
import { exampleOf } from "./example.ts";

type Json = Readonly<Record<string, unknown>>;

const asObject = (value: unknown): Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The text of a message's content: a string, or its text parts joined. */
function textOf(message: Json): string {
  const { content } = message;
  if (typeof content === "string") return content;
  return asList(content)
    .map((part) => asObject(part)["text"])
    .filter((text) => typeof text === "string")
    .join(" ");
}

/** Words with the space before each, so that joining them gives the text back; none for a text of spaces. */
function wordsOf(text: string): readonly string[] {
  // One look behind and one ahead per character: a pattern with a repeat would read long gaps over and over.
  const words = text.split(/(?<=\S)(?=\s)/);
  const tail = words.at(-1) ?? "";
  if (tail.trim() !== "") return words;
  words.pop();
  const last = words.pop();
  return last === undefined ? [] : [...words, last + tail];
}

/** The function to call: the one `tool_choice` names, else the first, and only right after a user's message. */
function chosenTool(body: Json, last: Json): Json | null {
  const choice = body["tool_choice"];
  if (choice === "none" || last["role"] !== "user") return null;
  const functions = asList(body["tools"]).map((tool) => asObject(asObject(tool)["function"]));
  const named = asObject(asObject(choice)["function"])["name"];
  return functions.find((each) => named === undefined || each["name"] === named) ?? null;
}

function contentOf(body: Json, said: string): string {
  const format = asObject(body["response_format"]);
  if (format["type"] === "json_schema")
    return JSON.stringify(exampleOf(asObject(format["json_schema"])["schema"], said));
  return format["type"] === "json_object" ? JSON.stringify({ echo: said }) : `echo: ${said}`;
}

interface Reply {
  readonly message: Json;
  readonly finishReason: string;
  readonly completionTokens: number;
}

function replyTo(body: Json, id: string): Reply {
  const messages = asList(body["messages"]).map(asObject);
  const last = messages.at(-1) ?? {};
  const said = textOf(messages.findLast((message) => message["role"] === "user" || message["role"] === "tool") ?? last);
  const tool = chosenTool(body, last);
  if (tool !== null) {
    const call = { name: tool["name"], arguments: JSON.stringify(asObject(exampleOf(tool["parameters"], said))) };
    const toolCalls = [{ id: `call_${id}`, type: "function", function: call }];
    return {
      message: { role: "assistant", content: null, tool_calls: toolCalls },
      finishReason: "tool_calls",
      completionTokens: wordsOf(call.arguments).length,
    };
  }
  const words = wordsOf(contentOf(body, said));
  const cap = body["max_completion_tokens"] ?? body["max_tokens"];
  const kept = typeof cap === "number" ? words.slice(0, cap) : words;
  return {
    message: { role: "assistant", content: kept.join("") },
    finishReason: kept.length < words.length ? "length" : "stop",
    completionTokens: kept.length,
  };
}

/**
 * The built-in model's completion: `echo: ` and the last user or tool text; a call of the first tool when tools are
 * offered; an example of the schema when `response_format` has one. Always the same for the same body. One word counts
 * as one token, nothing costs anything.
 */
export function echoCompletion(body: Json): ModelObject {
  const id = createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 24);
  const reply = replyTo(body, id);
  const promptTokens = asList(body["messages"]).reduce<number>(
    (sum, message) => sum + wordsOf(textOf(asObject(message))).length,
    0,
  );
  return {
    id: `chatcmpl-${id}`,
    object: "chat.completion",
    created: 0,
    model: "echo",
    choices: [{ index: 0, message: reply.message, finish_reason: reply.finishReason, logprobs: null }],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: reply.completionTokens,
      total_tokens: promptTokens + reply.completionTokens,
    },
  };
}

/** The chunks of a completion as a stream would bring them, its text word by word, the usage frame last. */
export function toChunks(completion: ModelObject): readonly ModelObject[] {
  const { usage, choices, ...rest } = completion;
  const base = { ...rest, object: "chat.completion.chunk" };
  const frame = (index: unknown, delta: Json, finishReason: unknown) => ({
    ...base,
    choices: [{ index, delta, finish_reason: finishReason }],
  });
  const chunks: ModelObject[] = [];
  for (const choice of asList(choices).map(asObject)) {
    const { content, tool_calls: toolCalls, ...message } = asObject(choice["message"]);
    const calls = asList(toolCalls).map((call, index) => ({ index, ...asObject(call) }));
    const words = typeof content === "string" ? wordsOf(content) : [];
    chunks.push(frame(choice["index"], { ...message, content: words.length > 0 ? "" : (content ?? null) }, null));
    for (const word of words) chunks.push(frame(choice["index"], { content: word }, null));
    if (calls.length > 0) chunks.push(frame(choice["index"], { tool_calls: calls }, null));
    chunks.push(frame(choice["index"], {}, choice["finish_reason"]));
  }
  if (usage !== undefined) chunks.push({ ...base, choices: [], usage });
  return chunks;
}
