import type { ModelObject } from "./completion.ts";
import type { ResolvedModel } from "./resolve.ts";

/** Usage of one call as far as it is known; later reports replace earlier ones. */
export interface ModelUsage {
  readonly attempts: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
  /** Name the script used or was given, not the upstream's. */
  readonly model: string;
}

const TOKENS_PER_PRICE = 1_000_000;

/** More tokens than any call has; whatever an upstream reports, the store gets a whole number. */
const MAX_TOKENS = 1e12;

const count = (value: unknown): number =>
  typeof value === "number" && value > 0 ? Math.min(Math.round(value), MAX_TOKENS) : 0;

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
