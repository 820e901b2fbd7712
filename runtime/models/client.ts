import { type Deadline, startDeadline } from "../egress/deadline.ts";
import { createDispatcher, type Dispatcher } from "../egress/dispatcher.ts";
import { fail } from "../errors.ts";
import type { Spending } from "../spending.ts";
import type { ModelObject } from "./completion.ts";
import type { ModelConfig } from "./config.ts";
import { echoCompletion, toChunks } from "./echo.ts";
import { type Embeddings, type EmbedRequest, embedOnce } from "./embed.ts";
import { readChunks } from "./read-chunks.ts";
import { type ModelChoice, type ResolvedModel, resolveModel } from "./resolve.ts";
import { createSpender, type Spender } from "./spender.ts";
import { readText, sendUpstream, toModelError, type UpstreamCall, upstreamError } from "./upstream.ts";
import { type ModelUsage, toUsage } from "./usage.ts";

/** One chat completion asked of a model. */
export interface ModelRequest extends ModelChoice {
  /** OpenAI body without `model` and `stream`, forwarded verbatim. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Sent upstream as `Idempotency-Key`; the same for every attempt. */
  readonly idempotencyKey: string;
  /** For all attempts together; null = the model's own. */
  readonly timeoutMs: number | null;
  /** Further attempts after the first; absent or null = the model's own. */
  readonly maxRetries?: number | null;
  /** Of the whole answer, or of one chunk of a stream. */
  readonly maxBytes: number;
  /** The budgets that the call must keep within; null = none. */
  readonly spending: Spending | null;
  /** Tokens that an answer is taken to have at the most where neither the call nor the model says; for budgets. */
  readonly maxOutputTokens: number;
  readonly signal: AbortSignal;
}

/** Called whenever more is known about what a call costs. */
export type MeterUsage = (usage: ModelUsage) => void;

/** Chat completions from whichever upstream the operator configured. */
export interface ModelClient {
  /** The upstream's completion. Throws INVALID_ARGUMENT, LIMIT_EXCEEDED, UPSTREAM_FAILED, UPSTREAM_TIMEOUT, or the signal's reason. */
  complete(request: ModelRequest, meter: MeterUsage): Promise<ModelObject>;
  /** The chunks of a streamed answer, one array per network read, the usage frame included; errors as in `complete`. */
  stream(request: ModelRequest, meter: MeterUsage): AsyncIterable<readonly ModelObject[]>;
  /** The vectors of texts, in their order; errors as in `complete`. */
  embed(request: EmbedRequest, meter: MeterUsage): Promise<Embeddings>;
  /** Closes every connection. */
  close(): Promise<void>;
}

/** The model that is asked, with the number of retries that the call itself names. */
function targetOf(config: ModelConfig, request: ModelRequest): ResolvedModel {
  const target = resolveModel(config, request);
  const { maxRetries = null } = request;
  return maxRetries === null ? target : { ...target, route: { ...target.route, maxRetries } };
}

function deadlineOf(request: ModelRequest, target: ResolvedModel): Deadline {
  const timeoutMs = request.timeoutMs ?? target.route.timeoutMs;
  return startDeadline(request.signal, timeoutMs, () =>
    fail("UPSTREAM_TIMEOUT", {
      message: `chat: model "${target.name}" took longer than ${timeoutMs} ms (timeout_ms)`,
      model: target.name,
      limit: "timeout_ms",
      value: timeoutMs,
    }),
  );
}

function streamOptions(request: ModelRequest, target: ResolvedModel): Readonly<Record<string, unknown>> {
  const { stream_options: asked } = request.body;
  const options = typeof asked === "object" && asked !== null ? asked : {};
  return target.route.streamUsage ? { stream_options: { ...options, include_usage: true } } : {};
}

interface Running {
  readonly call: UpstreamCall;
  readonly spender: Spender;
  attempts(): number;
}

/** Begins a call once what it may cost is reserved: that may take long, and its own time counts from then on. */
async function startCall(
  request: ModelRequest,
  target: ResolvedModel,
  stream: boolean,
  meter: MeterUsage,
): Promise<Running> {
  let attempts = 0;
  const spender = createSpender(target, request);
  await spender.ready();
  const extra = stream ? { stream: true, ...streamOptions(request, target) } : {};
  const model = target.route.upstreamModel ?? target.name;
  return {
    attempts: () => attempts,
    spender,
    call: {
      target,
      body: JSON.stringify({ ...request.body, model, ...extra }),
      idempotencyKey: request.idempotencyKey,
      maxBytes: request.maxBytes,
      deadline: deadlineOf(request, target),
      async attempt(count) {
        await spender.ready();
        attempts = count;
        meter(toUsage(target, count, {}));
      },
      failed: spender.failed.bind(spender),
    },
  };
}

function parseCompletion(text: string, target: ResolvedModel): ModelObject {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && Array.isArray((parsed as ModelObject)["choices"])) {
      return parsed as ModelObject;
    }
    if (typeof parsed === "object" && parsed !== null && "error" in parsed) throw upstreamError(target, 200, parsed);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const message = `chat: model "${target.name}": the upstream's answer is not a chat completion`;
  throw fail("UPSTREAM_FAILED", { message, model: target.name });
}

async function completeUpstream(dispatcher: Dispatcher, running: Running, meter: MeterUsage): Promise<ModelObject> {
  const { call, spender } = running;
  try {
    const text = await sendUpstream(dispatcher, call, (answer) => readText(answer, call.maxBytes));
    const completion = parseCompletion(text, call.target);
    spender.saw(completion);
    spender.ended(true);
    meter(toUsage(call.target, running.attempts(), completion));
    return completion;
  } catch (error) {
    throw toModelError(error, call.target, call.deadline);
  } finally {
    spender.ended(false);
    call.deadline.clear();
  }
}

async function* streamUpstream(
  dispatcher: Dispatcher,
  running: Running,
  meter: MeterUsage,
): AsyncGenerator<readonly ModelObject[]> {
  const { call, spender } = running;
  let isWhole = false;
  try {
    const answer = await sendUpstream(dispatcher, call, async (opened) => opened);
    const isJson = (answer.headers["content-type"] ?? "").includes("application/json");
    // Some upstreams answer `stream: true` with a whole completion.
    const batches = isJson
      ? [toChunks(parseCompletion(await readText(answer, call.maxBytes), call.target))]
      : readChunks(answer, call.target, call.maxBytes);
    for await (const chunks of batches) {
      const priced = chunks.findLast((chunk) => typeof chunk["usage"] === "object" && chunk["usage"] !== null);
      if (priced !== undefined) meter(toUsage(call.target, running.attempts(), priced));
      for (const chunk of chunks) spender.saw(chunk);
      yield chunks;
    }
    isWhole = true;
  } catch (error) {
    throw toModelError(error, call.target, call.deadline);
  } finally {
    spender.ended(isWhole);
    call.deadline.clear();
  }
}

/** The built-in model's completion, within the budget as any other. */
async function completeEcho(request: ModelRequest, target: ResolvedModel, meter: MeterUsage): Promise<ModelObject> {
  const spender = createSpender(target, request);
  await spender.ready();
  const completion = echoCompletion(request.body);
  meter(toUsage(target, 1, completion));
  spender.saw(completion);
  spender.ended(true);
  return completion;
}

async function* streamEcho(completion: ModelObject): AsyncGenerator<readonly ModelObject[]> {
  for (const chunk of toChunks(completion)) {
    yield [chunk];
  }
}

/** Creates the client of all configured models. Needs `close`. */
export function createModelClient(config: ModelConfig): ModelClient {
  const dispatcher = createDispatcher({ guard: null });
  return {
    async complete(request, meter) {
      const target = targetOf(config, request);
      if (target.route.baseUrl !== null) {
        return completeUpstream(dispatcher, await startCall(request, target, false, meter), meter);
      }
      return completeEcho(request, target, meter);
    },
    async *stream(request, meter) {
      const target = targetOf(config, request);
      if (target.route.baseUrl !== null) {
        yield* streamUpstream(dispatcher, await startCall(request, target, true, meter), meter);
        return;
      }
      yield* streamEcho(await completeEcho(request, target, meter));
    },
    embed: (request, meter) => embedOnce(config, dispatcher, request, meter),
    close: () => dispatcher.close(),
  };
}
