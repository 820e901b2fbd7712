import { type Fields, invalidIn, isFields, shown } from "./arguments.ts";
import type { Scope } from "./capability.ts";

/** The checked arguments of one `chat.completions.create`. */
export interface ChatArgs {
  readonly model: string | null;
  readonly intent: string | null;
  readonly application: string | null;
  readonly sessionId: string;
  /** For all attempts together; null = the model's own. */
  readonly timeoutMs: number | null;
  /** Further attempts after the first; null = the model's own. */
  readonly maxRetries: number | null;
  readonly stream: boolean;
  /** True when the script itself asked for the usage frame of the stream. */
  readonly showUsageFrame: boolean;
  /** What goes upstream, without `model` and `stream`. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Read here or, as options of a hosted service, without meaning here: upstreams would refuse them. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  "model",
  "stream",
  "intent",
  "action_type",
  "application",
  "application_ref_name",
  "session_id",
  "reference_id",
  "timeout_ms",
  "max_retries",
  "metadata",
  "apply_corrections",
  "callback",
  "context_query",
  "context_retrieval_enabled",
  "evaluation_enabled",
  "fallback_config",
  "safe_mode",
  "server_side_inference",
  "user_id",
]);

const MAX_TIMEOUT_MS = 3_600_000;
const MAX_RETRIES = 10;

const invalid = invalidIn("chat");

/** The first of the fields that is set; a non-empty text or nothing. */
function text(fields: Fields, ...names: readonly string[]): string | null {
  for (const name of names) {
    const value = fields[name] ?? null;
    if (value === null) continue;
    if (typeof value === "string" && value !== "") return value;
    throw invalid(name, `must be a non-empty string, got ${shown(value)}`);
  }
  return null;
}

function parseModel(fields: Fields): string | null {
  const model = text(fields, "model");
  if (model?.startsWith("workflow:")) {
    throw invalid("model", `is a workflow (${model}): call it with ctx.workflow.completions.create`);
  }
  return model;
}

function parseMessages(fields: Fields, scope: Scope): readonly unknown[] {
  const messages = fields["messages"] ?? scope.messages;
  if (!Array.isArray(messages)) throw invalid("messages", `must be an array, got ${shown(messages)}`);
  if (messages.length === 0) throw invalid("messages", "must not be empty (without it ctx.messages is used)");
  const at = messages.findIndex((message) => !isFields(message));
  if (at >= 0) throw invalid(`messages[${at}]`, `must be an object, got ${shown(messages[at])}`);
  return messages;
}

function parseTimeout(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_TIMEOUT_MS) return value as number;
  throw invalid("timeout_ms", `must be an integer from 1 to ${MAX_TIMEOUT_MS}, got ${shown(value)}`);
}

function parseRetries(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_RETRIES) return value as number;
  throw invalid("max_retries", `must be an integer from 0 to ${MAX_RETRIES}, got ${shown(value)}`);
}

/** OpenAI takes metadata only with `store: true` and only texts; anything else stays in the trace. */
function forwardedMetadata(fields: Fields): Fields {
  const metadata = fields["metadata"] ?? {};
  if (!isFields(metadata)) throw invalid("metadata", `must be an object, got ${shown(metadata)}`);
  const allTexts = Object.values(metadata).every((value) => typeof value === "string");
  return fields["store"] === true && allTexts && fields["metadata"] !== undefined ? { metadata } : {};
}

/** Checks what a script passed to `ctx.chat.completions.create`; throws INVALID_ARGUMENT naming field and value. */
export function parseChatArgs(args: unknown, scope: Scope): ChatArgs {
  const fields = args ?? {};
  if (!isFields(fields)) throw invalid("the argument", `must be an object, got ${shown(args)}`);
  const stream = fields["stream"] ?? false;
  if (typeof stream !== "boolean") throw invalid("stream", `must be true or false, got ${shown(stream)}`);
  const forwarded = Object.entries(fields).filter(([name]) => !NOT_FORWARDED.has(name));
  const options = fields["stream_options"];
  return {
    model: parseModel(fields),
    intent: text(fields, "intent", "action_type"),
    application: text(fields, "application", "application_ref_name") ?? scope.job.application,
    sessionId: text(fields, "session_id") ?? scope.sessionId,
    timeoutMs: parseTimeout(fields["timeout_ms"]),
    maxRetries: parseRetries(fields["max_retries"]),
    stream,
    showUsageFrame: isFields(options) && options["include_usage"] === true,
    body: { ...Object.fromEntries(forwarded), messages: parseMessages(fields, scope), ...forwardedMetadata(fields) },
  };
}
