import type { ModelObject, ModelUsage } from "./client.ts";
import type { ResolvedModel } from "./resolve.ts";

const TOKENS_PER_PRICE = 1_000_000;

const count = (value: unknown): number => (typeof value === "number" && value > 0 ? value : 0);

/** Tokens the upstream reported in `usage` of a completion or chunk, and their price; zeros where it reported none. */
export function toUsage(target: ResolvedModel, attempts: number, object: ModelObject): ModelUsage {
  const reported = object["usage"];
  const usage = typeof reported === "object" && reported !== null ? (reported as Record<string, unknown>) : {};
  const promptTokens = count(usage["prompt_tokens"]);
  const completionTokens = count(usage["completion_tokens"]);
  const { promptPrice, completionPrice } = target.route;
  const costUsd = (promptTokens * promptPrice + completionTokens * completionPrice) / TOKENS_PER_PRICE;
  return { attempts, promptTokens, completionTokens, costUsd, model: target.name };
}
