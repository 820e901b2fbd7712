import { startDeadline } from "../egress/deadline.ts";
import type { Dispatcher } from "../egress/dispatcher.ts";
import { fail } from "../errors.ts";
import type { Spending } from "../spending.ts";
import type { ModelObject } from "./completion.ts";
import type { ModelConfig } from "./config.ts";
import { echoEmbedding } from "./echo-embedding.ts";
import { type ResolvedModel, resolveEmbeddingModel } from "./resolve.ts";
import { createSpender, type Spender } from "./spender.ts";
import { readText, sendUpstream, toModelError } from "./upstream.ts";
import { type ModelUsage, toUsage } from "./usage.ts";

/** Texts to be made into vectors. */
export interface EmbedRequest {
  /** Null: the configured model for embeddings. */
  readonly model: string | null;
  readonly texts: readonly string[];
  /** Numbers wanted in each vector; null: as many as the model gives. */
  readonly dimensions: number | null;
  /** Sent upstream as `Idempotency-Key`; the same for every attempt. */
  readonly idempotencyKey: string;
  /** The budget that it must keep within; null = none. */
  readonly spending: Spending | null;
  readonly signal: AbortSignal;
}

/** Vectors of texts, in their order, and the name of the model that made them. */
export interface Embeddings {
  readonly model: string;
  readonly vectors: readonly (readonly number[])[];
}

interface Asked {
  readonly target: ResolvedModel;
  readonly spender: Spender;
  readonly meter: (usage: ModelUsage) => void;
}

/** For one call, retries included, ms: nobody waits longer for a batch of texts. */
const TIMEOUT_MS = 120_000;
/** Characters of a number in a vector, with its comma. */
const NUMBER_CHARS = 32;
const MAX_DIMENSIONS = 8_192;
const ANSWER_EXTRA_BYTES = 64 * 1024;

function refuse({ name }: ResolvedModel, why: string): Error {
  return fail("UPSTREAM_FAILED", { message: `embeddings: model "${name}": ${why}`, model: name });
}

function vectorOf(item: unknown, target: ResolvedModel, dimensions: number | null): readonly number[] {
  const vector = (item as { readonly embedding?: unknown } | null)?.embedding;
  if (!Array.isArray(vector) || vector.length === 0 || vector.some((number) => !Number.isFinite(number)))
    throw refuse(target, "the upstream's answer has a vector that is not a list of numbers");
  if (dimensions === null || vector.length === dimensions) return vector as number[];
  throw refuse(target, `it gives vectors of ${vector.length} numbers, ${dimensions} are wanted (vector.dimensions)`);
}

/** Answers may come in another order than the texts. */
function vectorsOf(body: unknown, target: ResolvedModel, { texts, dimensions }: EmbedRequest): Embeddings["vectors"] {
  const data = (body as { readonly data?: unknown } | null)?.data;
  if (!Array.isArray(data) || data.length !== texts.length)
    throw refuse(target, `the upstream's answer has not one vector for each of ${texts.length} texts`);
  const vectors: (readonly number[])[] = new Array(texts.length);
  for (const [at, item] of data.entries()) {
    const index = (item as { readonly index?: unknown } | null)?.index ?? at;
    if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= texts.length)
      throw refuse(target, `the upstream's answer has a vector for text ${JSON.stringify(index)?.slice(0, 40)}`);
    vectors[index as number] = vectorOf(item, target, dimensions);
  }
  if (Object.keys(vectors).length < texts.length) throw refuse(target, "the upstream left out the vector of a text");
  return vectors;
}

function parseBody(text: string, target: ResolvedModel): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refuse(target, "the upstream's answer is not JSON");
  }
}

/** Sends the call; a budget sets its cost aside before each attempt, which may take long. */
async function embedUpstream(
  dispatcher: Dispatcher,
  { target, spender, meter }: Asked,
  request: EmbedRequest,
): Promise<Embeddings["vectors"]> {
  const timeoutMs = Math.min(target.route.timeoutMs, TIMEOUT_MS);
  const deadline = startDeadline(request.signal, timeoutMs, () =>
    fail("UPSTREAM_TIMEOUT", {
      message: `embeddings: model "${target.name}" took longer than ${timeoutMs} ms`,
      model: target.name,
    }),
  );
  const maxBytes = ANSWER_EXTRA_BYTES + request.texts.length * (request.dimensions ?? MAX_DIMENSIONS) * NUMBER_CHARS;
  let attempts = 0;
  const body = JSON.stringify({
    model: target.route.upstreamModel ?? target.name,
    input: request.texts,
    encoding_format: "float",
  });
  const attempt = async (count: number) => {
    await spender.ready();
    attempts = count;
    meter(toUsage(target, count, {}));
  };
  const failed = spender.failed.bind(spender);
  const call = { target, body, idempotencyKey: request.idempotencyKey, maxBytes, deadline, attempt, failed };
  try {
    const text = await sendUpstream(dispatcher, call, (answer) => readText(answer, maxBytes, "embeddings"));
    const parsed = parseBody(text, target) as ModelObject | null;
    spender.saw(parsed ?? {});
    meter(toUsage(target, attempts, parsed ?? {}));
    return vectorsOf(parsed, target, request);
  } catch (error) {
    throw toModelError(error, target, deadline);
  } finally {
    deadline.clear();
  }
}

function embedOffline({ target, spender, meter }: Asked, { texts, dimensions }: EmbedRequest): Embeddings["vectors"] {
  const made = texts.map((text) => echoEmbedding(text, dimensions));
  const tokens = made.reduce((sum, { words }) => sum + words, 0);
  const answer = { usage: { prompt_tokens: tokens } };
  spender.saw(answer);
  meter(toUsage(target, 1, answer));
  return made.map(({ vector }) => vector);
}

/** Makes texts into vectors with the model that the request or the configuration names; without a service, with the built-in one. */
export async function embedOnce(
  config: ModelConfig,
  dispatcher: Dispatcher,
  request: EmbedRequest,
  meter: (usage: ModelUsage) => void,
): Promise<Embeddings> {
  const target = resolveEmbeddingModel(config, request.model);
  const { name: model } = target;
  const { texts, spending, signal } = request;
  const spender = createSpender(target, { body: { input: texts }, spending, maxOutputTokens: 0, signal });
  await spender.ready();
  try {
    const asked = { target, spender, meter };
    const vectors = await (target.route.baseUrl === null
      ? embedOffline(asked, request)
      : embedUpstream(dispatcher, asked, request));
    spender.ended(true);
    return { model, vectors };
  } finally {
    spender.ended(false);
  }
}
