import { fail, type WorkflowError } from "../errors.ts";
import type { ModelRequest } from "../models/client.ts";
import type { ModelObject } from "../models/completion.ts";
import { choicesOf, createJoiner, type Joiner } from "../models/join.ts";
import { createResumption, type Resumption } from "../models/resume.ts";
import { type Capability, defineOp, type OpCall } from "./capability.ts";
import { type ChatArgs, parseChatArgs } from "./chat-arguments.ts";

function toModelRequest(args: ChatArgs, call: OpCall): ModelRequest {
  return {
    model: args.model,
    intent: args.intent,
    application: args.application,
    body: args.body,
    idempotencyKey: call.idempotencyKey,
    timeoutMs: args.timeoutMs,
    maxRetries: args.maxRetries,
    maxBytes: call.scope.job.limits.maxResultBytes,
    spending: call.spending,
    maxOutputTokens: call.scope.job.limits.maxOutputTokens,
    signal: call.signal,
  };
}

interface Meter {
  readonly meter: OpCall["meter"];
  /** What the call has cost so far, by the prices of this server. */
  readonly costUsd: () => number;
}

function createMeter(call: OpCall): Meter {
  let cost = 0;
  return {
    costUsd: () => cost,
    meter(patch) {
      cost = patch.costUsd ?? cost;
      call.meter(patch);
    },
  };
}

const toResult = (completion: ModelObject, args: ChatArgs, call: OpCall, { costUsd }: Meter): string =>
  JSON.stringify({
    ...completion,
    request_id: call.idempotencyKey,
    session_id: args.sessionId,
    cost_usd: costUsd(),
  });

const overLimit = (maxBytes: number): WorkflowError =>
  fail("LIMIT_EXCEEDED", {
    message: `chat: the streamed answer is over ${maxBytes} bytes (maxResultBytes)`,
    limit: "maxResultBytes",
    value: maxBytes,
  });

interface Stream {
  readonly joiner: Joiner;
  /** Null unless the guest saw a part of the answer before a crash. */
  readonly resumption: Resumption | null;
}

function startStream(delivered: readonly string[]): Stream {
  const joiner = createJoiner();
  for (const part of delivered) joiner.add(JSON.parse(part) as readonly ModelObject[]);
  return { joiner, resumption: delivered.length === 0 ? null : createResumption(joiner) };
}

async function runStream(args: ChatArgs, call: OpCall): Promise<string> {
  const { joiner, resumption } = startStream(call.delivered);
  const { maxResultBytes } = call.scope.job.limits;
  const meter = createMeter(call);
  for await (const chunks of call.services.models.stream(toModelRequest(args, call), meter.meter)) {
    const fresh = resumption === null ? chunks : resumption.cut(chunks);
    joiner.add(fresh);
    if (joiner.size() > maxResultBytes) throw overLimit(maxResultBytes);
    // Scripts read choices[0]: frames without choices (usage) are for those that asked.
    const shown = args.showUsageFrame ? fresh : fresh.filter((chunk) => choicesOf(chunk).length > 0);
    if (shown.length > 0) call.part(JSON.stringify(shown));
  }
  resumption?.end();
  return toResult(joiner.final(), args, call, meter);
}

async function run(args: ChatArgs, call: OpCall): Promise<string> {
  if (args.stream) return runStream(args, call);
  const meter = createMeter(call);
  const completion = await call.services.models.complete(toModelRequest(args, call), meter.meter);
  return toResult(completion, args, call, meter);
}

/** ctx.chat: completions of the configured models. Arguments, parts and results may hold secret values. */
export const chat: Capability = {
  name: "chat",
  ops: { "chat.completions.create": defineOp<ChatArgs>({ effect: "outside", sends: true, parse: parseChatArgs, run }) },
  declaration: `  /** Chat completions of the configured models. */
  readonly chat: { readonly completions: ChatCompletions };`,
  doc: {
    member: "chat.completions.create({ messages, … })",
    sentence:
      "Asks a model; every OpenAI parameter is forwarded, `stream: true` gives an async iterator of chunks. `messages` defaults to `ctx.messages`; the model is the named one, else the one configured for the intent, the application, or by default.",
    limits: ["maxArgBytes", "maxResultBytes"],
  },
};
