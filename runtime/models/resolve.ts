import { fail } from "../errors.ts";
import type { ModelConfig, ModelRoute } from "./config.ts";

/** What a call says about the model it wants. */
export interface ModelChoice {
  readonly model: string | null;
  readonly intent: string | null;
  readonly application: string | null;
}

/** The name a call used or was given, and where it leads. */
export interface ResolvedModel {
  /** What is asked of it, for messages. */
  readonly api: "chat" | "embeddings";
  readonly name: string;
  readonly route: ModelRoute;
}

const at = <T>(record: Readonly<Record<string, T>>, key: string | null): T | null =>
  key !== null && Object.hasOwn(record, key) ? (record[key] ?? null) : null;

/** Explicit model → intent of the application → intent → application → default model. */
function chooseName(config: ModelConfig, choice: ModelChoice): string {
  const application = at(config.applications, choice.application);
  return (
    choice.model ??
    (application === null ? null : at(application.intents, choice.intent)) ??
    at(config.intents, choice.intent) ??
    application?.model ??
    config.defaultModel
  );
}

/** The model that makes embeddings: the named one, else the configured one; throws INVALID_ARGUMENT naming the known models when it leads nowhere. */
export function resolveEmbeddingModel(config: ModelConfig, model: string | null): ResolvedModel {
  const name = model ?? config.embeddingModel;
  const route = at(config.models, name) ?? config.generic;
  if (route !== null) return { api: "embeddings", name, route };
  const known = Object.keys(config.models).join(", ");
  const message = `embeddings: model "${name}" is not configured; known models: ${known}`;
  throw fail("INVALID_ARGUMENT", { message, field: "model" });
}

/** While nothing but the built-in model is configured it answers for any name, so that everything can be tried. */
function offline({ models }: ModelConfig): ModelRoute | null {
  const [first, ...others] = Object.values(models);
  return first?.baseUrl === null && others.length === 0 ? first : null;
}

/** The model of a call; throws INVALID_ARGUMENT naming the known models when nothing leads anywhere. */
export function resolveModel(config: ModelConfig, choice: ModelChoice): ResolvedModel {
  const name = chooseName(config, choice);
  const route = at(config.models, name) ?? config.generic ?? offline(config);
  if (route !== null) return { api: "chat", name, route };
  const known = Object.keys(config.models).join(", ");
  throw fail("INVALID_ARGUMENT", {
    message: `chat: model "${name}" is not configured; known models: ${known}`,
    field: "model",
  });
}
