import { type Cost, costOf } from "../spending.ts";
import type { ModelObject } from "./completion.ts";
import { echoCompletion } from "./echo.ts";
import { choicesOf, deltaOf } from "./join.ts";
import type { ResolvedModel } from "./resolve.ts";
import { toUsage } from "./usage.ts";

type Body = Readonly<Record<string, unknown>>;

/** Tokens that no text in the request stands for: begin and end of the chat, and what introduces its tools. */
const CHAT_TOKENS = 64;
const TOOLS_TOKENS = 1_024;
/** Most tokens that one image is worth anywhere, however few bytes its address or its file has. */
const IMAGE_TOKENS = 50_000;
/** Of a file or a recording nobody knows more than that it fits into the largest context. */
const FILE_TOKENS = 1_000_000;
const MAX_CHOICES = 1_000;
const MAX_TOKENS = 1e12;

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const asObject = (value: unknown): Body =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Body) : {};

/** A positive number, also one that some upstreams read out of a text; null for anything else. */
function positive(value: unknown): number | null {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && number > 0 ? Math.min(Math.ceil(number), MAX_TOKENS) : null;
}

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? "");

/** What of a part of a message is not known to be text. */
function kindOf(part: unknown): string | null {
  const { type, ...rest } = asObject(part);
  if (type === "text" || type === "refusal") return null;
  // Some upstreams tell a part by its other members.
  return type === undefined ? (Object.keys(rest).find((name) => name !== "text") ?? null) : String(type);
}

/** Tokens of parts of messages that are more than their text. */
function mediaTokens(body: Body): number {
  let tokens = 0;
  for (const message of asList(body["messages"])) {
    for (const part of asList(asObject(message)["content"])) {
      const kind = kindOf(part);
      if (kind !== null) tokens += kind.includes("image") ? IMAGE_TOKENS : FILE_TOKENS;
    }
  }
  return tokens;
}

/** Most tokens of the prompt: no token is shorter than a byte. */
export function mostPromptTokens({ route }: ResolvedModel, body: Body): number {
  const tools = body["tools"] === undefined && body["functions"] === undefined ? 0 : TOOLS_TOKENS;
  const most = bytesOf(body) + CHAT_TOKENS + tools + mediaTokens(body);
  // Each of several texts for an embedding may be as long as the model takes.
  const inputs = Array.isArray(body["input"]) ? body["input"].length : 1;
  return route.maxInputTokens === null ? most : Math.min(most, route.maxInputTokens * inputs);
}

/** Most tokens of the answer: what the call says, at most what the model can, `otherwise` where neither is known. */
function mostCompletionTokens({ route }: ResolvedModel, body: Body, otherwise: number): number {
  const limits = [body["max_completion_tokens"], body["max_tokens"]].map(positive).filter((limit) => limit !== null);
  // Of two limits the upstream may heed either.
  const asked = limits.length === 0 ? null : Math.max(...limits);
  const most = Math.min(asked ?? route.maxOutputTokens ?? otherwise, route.maxOutputTokens ?? MAX_TOKENS);
  const choices = Math.min(positive(body["n"]) ?? 1, MAX_CHOICES);
  // Predicted text that the model rejects is paid as if it were the answer's.
  const predicted = body["prediction"] === undefined ? 0 : bytesOf(body["prediction"]);
  return Math.min(most * choices + predicted, MAX_TOKENS);
}

/** The most that one attempt at a chat completion, or at embeddings, may cost; `otherwise`: tokens of an answer that nothing limits. */
export function worstCase(target: ResolvedModel, body: Body, otherwise: number): Cost {
  if (target.route.baseUrl === null && body["input"] === undefined)
    return reportedCost(target, echoCompletion(body)) ?? { nanoUsd: 0, tokens: 0, calls: 1 };
  const prompt = mostPromptTokens(target, body);
  return costOf({ prompt, completion: mostCompletionTokens(target, body, otherwise) }, target.route);
}

/** What an upstream says that an attempt cost; null when it does not say. */
export function reportedCost(target: ResolvedModel, answer: ModelObject): Cost | null {
  const { promptTokens: prompt, completionTokens: completion } = toUsage(target, 1, answer);
  return prompt + completion === 0 ? null : costOf({ prompt, completion }, target.route);
}

/** Bytes of what a message or a delta says; 0 where it only says whose it is, as first chunks do before the model begins. */
function spokenBytes(message: unknown): number {
  const { role: _role, ...said } = asObject(message);
  const isSilent = Object.values(said).every(
    (value) => value === null || value === "" || (Array.isArray(value) && value.length === 0),
  );
  return isSilent ? 0 : bytesOf(message);
}

/** Bytes of all that the choices of a chunk or completion say. */
export function saidBytes(object: ModelObject): number {
  return choicesOf(object).reduce((sum, choice) => sum + spokenBytes(choice["message"] ?? deltaOf(choice)), 0);
}

const eachUnit =
  (choose: (a: number, b: number) => number) =>
  (a: Cost, b: Cost): Cost => ({
    nanoUsd: choose(a.nanoUsd, b.nanoUsd),
    tokens: choose(a.tokens, b.tokens),
    calls: choose(a.calls, b.calls),
  });

/** The least of two costs, unit by unit. */
export const leastCost = eachUnit(Math.min);

/** The greatest of two costs, unit by unit. */
export const greatestCost = eachUnit(Math.max);

/** What an attempt cost whose answer went on, by some bytes, after what the upstream said that it cost so far. */
export function costWithMore({ route }: ResolvedModel, reported: Cost, bytes: number): Cost {
  const more = costOf({ prompt: 0, completion: bytes }, route);
  return { nanoUsd: reported.nanoUsd + more.nanoUsd, tokens: reported.tokens + more.tokens, calls: reported.calls };
}
