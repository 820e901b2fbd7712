// What a workflow script sees: `import type { WorkflowContext } from "weft"`. Errors are values: `import { WorkflowError } from "weft"`.

/** Anything JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };
// biome-ignore lint/suspicious/noExplicitAny: authors who name no type get the freedom of plain JavaScript
export type Untyped = any;
// ---------- the script ----------
export type FieldType = "string" | "number" | "boolean" | "object" | "array";
export type Field = { readonly type: FieldType; readonly description?: string; readonly required?: boolean };
/** Maitai's way to describe input: one entry per field. */
export type FieldMap = { readonly [field: string]: Field };
/** JSON Schema; a zod schema is accepted too. */
export type JsonSchema = { readonly type: string; readonly [keyword: string]: unknown };

/** `export const config: WorkflowConfig = { … }`: every member is optional. */
export interface WorkflowConfig {
  /** Wall limit: seconds, or a text such as "60s" or "5m". */
  readonly timeout?: number | string;
  /** Keeps results of runs that touched the outside world; runs that touched nothing are kept anyway. */
  readonly cache?: { readonly ttl: number | string };
  /** The most that its model calls may cost, nested executions included: one that would pass it waits until more is given. */
  readonly budget?: { readonly usd?: number; readonly tokens?: number; readonly calls?: number };
  /** The only hosts `ctx.http` and `fetch` may reach: "api.example.com", "*.example.com", "api.example.com:8443". */
  readonly http?: { readonly allow: readonly string[] };
  /** How strictly executions are kept apart; the default is chosen at upload. */
  readonly isolation?: "frozen" | "context" | "isolate";
  /** What happens when the caller goes away; "continue" by default. */
  readonly on_disconnect?: "continue" | "cancel";
  /** True: input that does not match `inputSchema` is refused with status 400. */
  readonly validate_input?: boolean;
  /** How long, and how many of, its ended executions are kept; for ever by default. Those that it called go with them. */
  readonly retention?: { readonly age?: number | string; readonly runs?: number };
  /** Starts it by the clock: a cron text such as "0 7 * * 1-5" or "@daily", a schedule, or a list of these. */
  readonly schedule?: string | WorkflowSchedule | readonly (string | WorkflowSchedule)[];
  /**
   * Further attempts of an execution that failed; each goes on from the ctx call that failed. Background calls have three,
   * after failures of Weft itself, unless this says otherwise; callers who wait have none without it. Delays double from
   * `delay` (1 s) up to `maxDelay` (5 min); `on` names whose failures: infrastructure by default.
   */
  readonly retries?: {
    readonly max?: number;
    readonly backoff?: "exponential" | "fixed";
    readonly delay?: number | string;
    readonly maxDelay?: number | string;
    readonly on?: readonly ("infrastructure" | "upstream" | "script")[];
  };
  /** At most so many executions at the same time, for each value of `key` ("input.customer_id", "session_id", "metadata.tenant"); nested and sleeping ones do not count. */
  readonly concurrency?: { readonly limit: number; readonly key?: string };
  /** At most so many starts within any period (1 min by default), for each value of `key`; callers who wait get 429 beyond. */
  readonly rateLimit?: { readonly limit: number; readonly period?: number | string; readonly key?: string };
  /** Background calls of a key within `delay` become one execution with the last input, begun `maxWait` (10 delays) after the first at the latest. */
  readonly debounce?: { readonly delay: number | string; readonly maxWait?: number | string; readonly key?: string };
  /** Names of the datastores that it reads, besides those attached at upload. */
  readonly datastores?: readonly string[];
}

/** When a workflow starts by itself; `ctx.metadata.schedule` is `{ id, name, scheduled_at }` then. */
export interface WorkflowSchedule {
  /** Five fields, or six with seconds, or a word such as "@daily". */
  readonly cron: string;
  /** IANA name; "UTC" by default. */
  readonly timezone?: string;
  /** Unique within the workflow; the first is "default". */
  readonly name?: string;
  /** `ctx.input` of its executions. */
  readonly input?: unknown;
  /** Starts missed by over a minute: none (default), the last, or the last 1,000. */
  readonly catchUp?: "skip" | "one" | "all";
  /** While an earlier execution goes on: leave this one out (default), start it too, let it wait, or end the earlier one. */
  readonly overlap?: "skip" | "allow" | "queue" | "cancel";
  /** No start from then on: ISO 8601 with a zone, or seconds since the epoch. */
  readonly endAt?: string | number;
}

/** What a script file exports: `execute`, and whatever else of this it needs. */
export interface WorkflowModule<I = Untyped, O = unknown> {
  execute(ctx: WorkflowContext<I>): O | Promise<O>;
  readonly config?: WorkflowConfig;
  readonly inputSchema?: FieldMap | JsonSchema;
  readonly outputSchema?: FieldMap | JsonSchema;
}
/** The script's only way out: everything that goes through it is recorded, limited and resumable. */
export interface WorkflowContext<I = Untyped> {
  /** The `input` of the call; null when the caller sent only messages. */
  readonly input: I;
  /** The `messages` of the call; [] when there are none. */
  readonly messages: readonly ChatMessage[];
  /** Inference parameters of the call; they are data, no model call takes them over by itself. */
  readonly params: CallParams;
  /** The workflow's stored settings, given at upload. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The `metadata` of the call. */
  readonly metadata: JsonObject;
  /**
   * The `secrets` of the call, never stored, and the stored secrets of the workflow; hidden in logs, errors, chunks and the
   * journal. Of a handle it has a text, which requests to the hosts of the handle replace by the value.
   */
  readonly secrets: Readonly<Record<string, string | undefined>>;
  /** The caller's session, or one made for this call. */
  readonly session_id: string;
  /** The same value under a JavaScript name. */
  readonly sessionId: string;
  /** The same value as `request_id` in the answer and the header `x-request-id`. */
  readonly request_id: string;
  readonly workflow_info: WorkflowInfo;
  /** Aborts at the timeout and when the execution is cancelled. */
  readonly signal: AbortSignal;
  /** Milliseconds until the timeout; Infinity when there is none. */
  remaining_ms(): number;

  readonly chat: { readonly completions: ChatCompletions };
  /** Agents of the account, kept by the API. Reach it by this name: a script that does not name it has no such member. */
  readonly agents: Agents;
  readonly workflow: { readonly completions: WorkflowCompletions };
  readonly http: Http;
  readonly accessories: Accessories;
  /** Records of the datastores that are attached to this workflow; an execution sees one revision from start to end. */
  readonly datastore: Datastore;
  readonly files: Files;
  /** Parsed JSON of the accessory uploaded under `key`; `fallback_path` is accepted and ignored on a server. */
  load_accessory<T = Untyped>(key: string, fallback_path?: string): Promise<T>;
  /** Waits for milliseconds or "10s", "5m", "2h", "3d"; a long wait uses no memory and survives a restart. */
  sleep(duration: number | string): Promise<void>;
  /** Waits for an event sent to this run or to the account; with a timeout, null once that has passed. Waiting uses no memory and survives a restart. */
  waitFor<T = Untyped>(
    name: string,
    options?: WaitOptions & { readonly timeout?: undefined },
  ): Promise<WorkflowEvent<T>>;
  waitFor<T = Untyped>(name: string, options: WaitOptions): Promise<WorkflowEvent<T> | null>;
  /** Asks a person, by a one-time link (in the run object, and as a chunk of type "approval") or over the API, and waits for the decision. */
  approve<T = Untyped>(question: ApprovalQuestion): Promise<Decision<T>>;

  /** Sends a chunk to a streaming caller: ordered, not awaited, at most 10,000 of 256 KiB. The type must not be empty. */
  emit(type: string, content?: unknown): void;
  emit(chunk: { readonly type: string; readonly content?: unknown }): void;
  /** Streams answer text: `choices[0].delta.content` for OpenAI clients. */
  write(text: string): void;
  /** Writes a log line; `console` does too. */
  readonly log: Log;
}

// ---------- ctx.waitFor, ctx.approve ----------
export interface WaitOptions {
  /** Dotted paths into the event's data and the exact value each must have: `{ "order.id": 7 }`. */
  readonly match?: { readonly [path: string]: Json };
  /** Milliseconds, or "10s", "5m", "2h", "3d". A wait that lost a `Promise.race` goes on and takes the next event: prefer this to a race with `sleep`. */
  readonly timeout?: number | string | undefined;
}

/** One event; it fulfils one wait of each run that it reaches, the earliest that matches. */
export interface WorkflowEvent<T = Untyped> {
  readonly name: string;
  readonly data: T;
  readonly id: string;
  /** When it was sent, milliseconds since the epoch. */
  readonly at: number;
}

export interface ApprovalQuestion {
  readonly title: string;
  readonly description?: string;
  /** JSON Schema (or a field map) of what the person sends along when approving; simple fields become a form. */
  readonly schema?: FieldMap | JsonSchema;
  /** Shown to the person. */
  readonly data?: unknown;
  /** Milliseconds, or "10s", "5m", "2h", "3d". */
  readonly timeout?: number | string;
  /** Names that may decide by the link; a decision over the API is its key's. */
  readonly approvers?: readonly string[];
}

/** A person's decision. Without one in time: `approved: false`, `by: null`, `timed_out: true`. */
export interface Decision<T = Untyped> {
  readonly approved: boolean;
  /** What was sent along; null when nothing was. */
  readonly data: T;
  readonly by: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly comment: string | null;
  readonly timed_out: boolean;
}

export interface CallParams {
  readonly max_tokens?: number;
  readonly temperature?: number;
  readonly stream?: boolean;
  readonly [name: string]: Json | undefined;
}

/** `parent_run` is the execution that called this one; `depth` is 0 for a call from outside. */
export interface WorkflowInfo {
  readonly ref_name: string;
  readonly version: string | null;
  readonly parent_run?: string;
  readonly depth: number;
}
// ---------- ctx.chat ----------
export interface ChatCompletions {
  /** Calls a model and streams: `for await (const chunk of stream)`. */
  create(params: ChatParams & { readonly stream: true }): Promise<ChunkStream>;
  /** Calls a model; throws ChatError when it fails. */
  create(params?: ChatParams & { readonly stream?: false }): Promise<ChatCompletion>;
  /**
   * Lets the model use tools until it answers: tool calls of one answer run at the same time, what a tool throws is told to the model,
   * and after `max_steps` calls of the model (100) it throws LimitError. An answer that does not match `response_format` is repaired.
   */
  runTools(params: ToolParams & { readonly stream: true }): Promise<AgentStream>;
  runTools(params: ToolParams & { readonly stream?: false }): Promise<AgentCompletion>;
}

/** Keys not listed here are forwarded to the model as they are. */
export interface ChatParams {
  /** Default: `ctx.messages`. */
  readonly messages?: readonly ChatMessage[];
  /** Default: the model routed to by `intent` and `application`, else the server's default model. */
  readonly model?: string;
  readonly intent?: string;
  /** `intent` and `application` under their Maitai names. */
  readonly action_type?: string;
  readonly application_ref_name?: string;
  /** Default: the workflow's application. */
  readonly application?: string;
  /** Default: `ctx.session_id`. */
  readonly session_id?: string;
  readonly metadata?: JsonObject;
  readonly stream?: boolean;
  readonly tools?: readonly ToolDef[];
  readonly tool_choice?: "none" | "auto" | "required" | JsonObject;
  readonly response_format?: JsonObject;
  readonly temperature?: number;
  readonly max_tokens?: number;
  readonly top_p?: number;
  readonly seed?: number;
  readonly stop?: string | readonly string[];
  readonly timeout_ms?: number;
  readonly [other: string]: unknown;
}

export type Role = "system" | "developer" | "user" | "assistant" | "tool";

/** `arguments` is JSON text. */
export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

export type ContentPart = { readonly type: string; readonly [member: string]: unknown };
export interface ChatMessage {
  readonly role: Role;
  readonly content?: string | null | readonly ContentPart[];
  readonly name?: string;
  readonly tool_calls?: readonly ToolCall[];
  readonly tool_call_id?: string;
}

export type AssistantMessage = ChatMessage & { readonly role: "assistant"; readonly content: string | null };

/** `parameters` is a JSON Schema. */
export interface ToolDef {
  readonly type: "function";
  readonly function: { name: string; description?: string; parameters?: object; strict?: boolean };
}

export type Usage = {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
};

export type ChatChoice = { readonly index: number; readonly message: AssistantMessage; readonly finish_reason: string };
export interface ChatCompletion {
  readonly id: string;
  readonly object: "chat.completion";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly [ChatChoice, ...ChatChoice[]];
  readonly usage?: Usage;
  /** By the server's prices; 0 where it has none. */
  readonly cost_usd?: number;
  readonly request_id?: string;
}

export type ToolCallDelta = { index: number; id?: string; function?: Partial<ToolCall["function"]> };
export interface Delta {
  readonly role?: Role;
  readonly content?: string | null;
  readonly tool_calls?: readonly ToolCallDelta[];
}

export interface ChatCompletionChunk {
  readonly id: string;
  readonly object: "chat.completion.chunk";
  readonly created: number;
  readonly model: string;
  readonly choices: readonly { readonly index: number; readonly delta: Delta; readonly finish_reason: string | null }[];
  readonly usage?: Usage | null;
}

/** Leaving its loop early (`break`) stops the model, unless `final()` was called before. */
export interface ChunkStream extends AsyncIterable<ChatCompletionChunk> {
  /** The whole completion, joined, once the stream has ended. Called after the loop was left early, it rejects. */
  final(): Promise<ChatCompletion>;
}
// ---------- ctx.agents, runTools ----------
export interface Agents {
  readonly completions: {
    create(params: AgentParams & { readonly stream: true }): Promise<AgentStream>;
    create(params: AgentParams & { readonly stream?: false }): Promise<AgentCompletion>;
  };
  /** The text that the agent answers with. */
  run(agent: string, message: string | readonly ChatMessage[], params?: Partial<AgentParams>): Promise<string>;
}

/** A function of the script that the model may call. */
export interface RunnableTool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments: calls that do not match are answered with what is wrong. */
  readonly parameters?: object;
  /** A text goes to the model as it is, anything else as JSON. */
  execute(args: Untyped): unknown;
}

/** A search of a datastore, with the model's query. */
export interface DatastoreTool {
  readonly type: "datastore";
  readonly datastore: string;
  readonly name?: string;
  readonly description?: string;
  readonly mode?: "keyword" | "vector" | "hybrid";
  readonly top_k?: number;
  readonly fields?: readonly string[];
  readonly min_score?: number;
  readonly filter?: JsonObject;
}

/** Texts of a request may hold `{{argument}}`, `{{secrets.NAME}}` and `{{env.NAME}}`. */
export interface HttpTool {
  readonly type: "http";
  readonly name: string;
  readonly description?: string;
  readonly parameters?: object;
  readonly request: {
    readonly method?: string;
    readonly url: string;
    readonly query?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Json;
  };
}

/** Another workflow of the account: the arguments are its input. */
export interface WorkflowTool {
  readonly type: "workflow";
  readonly ref: string;
  readonly name?: string;
  readonly description?: string;
  readonly parameters?: object;
}

/** The tools of an MCP server (streamable HTTP). */
export interface McpTools {
  readonly type: "mcp";
  readonly server: { readonly url: string; readonly headers?: Readonly<Record<string, string>> };
  readonly allow?: readonly string[];
}

export type AgentTool = RunnableTool | HttpTool | WorkflowTool | DatastoreTool | McpTools;

export interface ToolParams extends Omit<ChatParams, "tools"> {
  readonly tools: readonly AgentTool[];
  readonly max_steps?: number;
  /** Further tries for an answer that does not match `response_format`; 2 by default. */
  readonly max_repairs?: number;
  /** False: the calls of one answer run one after another. */
  readonly parallel_tool_calls?: boolean;
  readonly execution_mode?: ExecutionMode;
}

/** `auto`: the model calls tools or answers. `reasoning`: it writes a plan first. `route`: it must choose tools, whose results are the answer. `direct`: no tools. */
export type ExecutionMode = "auto" | "reasoning" | "route" | "direct";

/** What is not given here is as the agent's definition says; tools are added to its own. */
export interface AgentParams extends Omit<ChatParams, "intent" | "action_type" | "tools"> {
  /** Name of the agent, or `<name>@<version>`. */
  readonly agent: string;
  readonly tools?: readonly AgentTool[];
  readonly execution_mode?: ExecutionMode;
  readonly max_iterations?: number;
  readonly max_repairs?: number;
  readonly parallel_tool_calls?: boolean;
  /** Accepted for Maitai's sake, without effect here. */
  readonly high_performance?: boolean;
  readonly disable_chaining?: boolean;
  readonly task_id?: string;
}

/** `usage` and `cost_usd` are sums over all calls of the model. */
export interface AgentCompletion extends Omit<ChatCompletion, "choices"> {
  readonly choices: readonly [
    Omit<ChatChoice, "message"> & { readonly message: AssistantMessage & { readonly parsed?: Untyped } },
  ];
  readonly usage: Usage;
  readonly cost_usd: number;
  /** Calls of the model. */
  readonly iterations: number;
  /** The whole conversation. */
  readonly messages: readonly ChatMessage[];
}

/** Text as in any chat stream; what tools do as chunks with `type` (`tool_call`, `tool_result`) and `content`. */
export interface AgentStream extends AsyncIterable<ChatCompletionChunk & { type?: string; content?: Untyped }> {
  final(): Promise<AgentCompletion>;
}
// ---------- ctx.workflow ----------
export interface WorkflowCompletions {
  /** Runs another workflow (`workflow:<ref>` or `workflow:<ref>@<version>`) within this one's deadline; at most 8 deep. */
  create<O = Untyped>(params: WorkflowParams): Promise<WorkflowResult<O>>;
}

export interface WorkflowParams {
  readonly model: string;
  readonly input?: unknown;
  readonly messages?: readonly ChatMessage[];
  readonly secrets?: Readonly<Record<string, string>>;
  readonly metadata?: JsonObject;
  readonly session_id?: string;
  readonly no_cache?: boolean;
}

export interface WorkflowResult<O = Untyped> extends ChatCompletion {
  /** What its `execute` returned. */
  readonly output: O;
}
// ---------- ctx.http ----------
export interface Http {
  request(request: HttpRequest): Promise<HttpResponse>;
  get(url: string, options?: HttpOptions): Promise<HttpResponse>;
  head(url: string, options?: HttpOptions): Promise<HttpResponse>;
  delete(url: string, options?: HttpOptions): Promise<HttpResponse>;
  post(url: string, options?: HttpOptions): Promise<HttpResponse>;
  put(url: string, options?: HttpOptions): Promise<HttpResponse>;
  patch(url: string, options?: HttpOptions): Promise<HttpResponse>;
}

export type HttpOptions = Omit<HttpRequest, "url" | "method">;
export interface HttpRequest {
  readonly url: string;
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Added to the URL's query. */
  readonly params?: Readonly<Record<string, string | number | boolean>>;
  /** One of `json`, `form` and `body`. */
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Milliseconds. */
  readonly timeout_ms?: number;
  /** Headers that look like a credential (`…auth…`, `…key…`, `…token…`, `cookie`, …) do not follow to another origin; a body follows 307 and 308. */
  readonly redirect?: "follow" | "manual" | "error";
  /** Largest response accepted, in bytes. */
  readonly max_bytes?: number;
  /** Further attempts after a failure that may be repeated. */
  readonly retries?: number;
}

/** Any status is a response; only `raise_for_status` throws for it. */
export interface HttpResponse {
  readonly status: number;
  /** The same value under Maitai's name. */
  readonly status_code: number;
  /** True for 200 to 299. */
  readonly ok: boolean;
  /** The address after redirects. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  text(): string;
  json<T = Untyped>(): T;
  bytes(): Uint8Array;
  /** Throws HttpError unless `ok`. */
  raise_for_status(): this;
}
// ---------- ctx.accessories ----------
export interface DatastoreRecord<T = Untyped> {
  readonly id: string;
  readonly data: T;
}

/** A record found by a search, the best first. */
export interface Hit<T = Untyped> extends DatastoreRecord<T> {
  readonly score: number;
}

/** All fields must fit; a plain value means `$eq`. */
export type Filter = { readonly [field: string]: Json | Condition };
export interface Condition {
  readonly $eq?: Json;
  readonly $ne?: Json;
  readonly $in?: readonly Json[];
  readonly $gt?: Json;
  readonly $gte?: Json;
  readonly $lt?: Json;
  readonly $lte?: Json;
  readonly $exists?: boolean;
}

export interface SearchParams {
  /** Words; "a phrase"; wor* for a prefix. */
  readonly query?: string;
  readonly vector?: readonly number[];
  /** Vector and hybrid make the query into a vector where a model made the datastore's: that is a model call. */
  readonly mode?: "keyword" | "vector" | "hybrid";
  readonly filter?: Filter;
  readonly top_k?: number;
  readonly offset?: number;
  /** Columns of the records; all by default. */
  readonly fields?: readonly string[];
  readonly min_score?: number;
}

/** Read-only: records come in by the API and the command line. */
export interface Datastore {
  get<T = Untyped>(store: string, id: string | number): Promise<T | null>;
  get<T = Untyped>(store: string, ids: readonly (string | number)[]): Promise<(T | null)[]>;
  search<T = Untyped>(store: string, query: string | SearchParams, options?: SearchParams): Promise<Hit<T>[]>;
  /** One SELECT over `records`, or over the datastore's name in double quotes; `?` or `:name` are bound to `params`. */
  query<T = Untyped>(store: string, sql: string, params?: readonly unknown[] | JsonObject): Promise<T[]>;
  count(store: string, filter?: Filter): Promise<number>;
  scan<T = Untyped>(
    store: string,
    options?: { readonly filter?: Filter; readonly fields?: readonly string[]; readonly batch?: number },
  ): AsyncIterable<DatastoreRecord<T>>;
}

export interface Accessories {
  has(key: string): boolean;
  keys(): string[];
  json<T = Untyped>(key: string): Promise<T>;
  text(key: string): Promise<string>;
  bytes(key: string): Promise<Uint8Array>;
}
// ---------- ctx.files ----------
/** Files of the account: uploaded ones, whose ids the input names, and those that executions write. A file never changes. */
export interface Files {
  /** Its content as text, unless `as` says otherwise; `offset` and `length` (bytes) take part of it. */
  read(id: string, options?: { readonly as?: "text" }): Promise<string>;
  read(
    id: string,
    options: { readonly as: "bytes"; readonly offset?: number; readonly length?: number },
  ): Promise<Uint8Array>;
  read<T = Untyped>(id: string, options: { readonly as: "json" }): Promise<T>;
  /** Writes a file that belongs to this run: once, also when the run is resumed. Text, bytes, or a value that becomes JSON; at most 50 MB, 100 files per run. */
  write(name: string, data: unknown, options?: { readonly contentType?: string }): Promise<FileInfo>;
  stat(id: string): Promise<FileInfo>;
  /** What this run has written so far. */
  list(): Promise<readonly FileInfo[]>;
}

export interface FileInfo {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  readonly content_type: string;
}
// ---------- ctx.log ----------
export interface Log {
  (message: string, fields?: unknown): void;
  debug(message: string, fields?: unknown): void;
  info(message: string, fields?: unknown): void;
  warn(message: string, fields?: unknown): void;
  error(message: string, fields?: unknown): void;
}
/** Throw it to choose the HTTP status of the answer. */
export class WorkflowError extends Error {
  readonly code: string;
  readonly status: number | undefined;
  readonly details: unknown;
  constructor(
    message: string,
    options?: { readonly code?: string; readonly status?: 400 | 404 | 409 | 422 | 500; readonly details?: unknown },
  );
}
/** A model call failed. */
export class ChatError extends WorkflowError {}
/** An HTTP call failed. */
export class HttpError extends WorkflowError {}
/** A nested workflow failed. */
export class NestedWorkflowError extends WorkflowError {}
/** A limit of Weft was reached. */
export class LimitError extends WorkflowError {}
