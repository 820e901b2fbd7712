import { type AnswerFormat, checkAnswer, repairText } from "./answer-format.ts";
import { answerCalls, readCalls, type ToolCall } from "./tool-calls.ts";
import { toDefinitions } from "./toolset.ts";
import { type AgentDoor, type Fields, isFields, type ToolAnswer, type Toolset, textOf } from "./types.ts";

/**
 * What the model does with the tools. `auto`: calls some, or answers. `reasoning`: first writes a plan, without tools, which stays in
 * the conversation. `route`: must choose tools, and their results are the answer. `direct`: has none.
 */
export type LoopMode = "auto" | "reasoning" | "route" | "direct";

/** One conversation between a model and its tools. */
export interface LoopRequest {
  /** Who asks, for errors: `runTools`, or `agent "support"`. */
  readonly label: string;
  /** Parameters of each model call, without messages, tools and stream. */
  readonly body: Fields;
  readonly messages: readonly unknown[];
  readonly tools: Toolset;
  readonly mode: LoopMode;
  /** Most model calls, and the name of that parameter. */
  readonly max: { readonly name: string; readonly value: number };
  readonly maxRepairs: number;
  readonly format: AnswerFormat | null;
  readonly parallel: boolean;
}

/** Who watches a conversation as it goes on. */
export interface LoopListener {
  /** Each chunk of a model's answer: its id, model and time are those of what follows. */
  head(chunk: Fields): void;
  /** A piece of answer text. */
  text(delta: string): void;
  event(type: "tool_call" | "tool_result", content: Fields): void;
  /** True once nobody wants more. */
  left(): boolean;
}

interface Choice {
  readonly message: Fields;
  readonly finishReason: unknown;
}

const PLAN =
  "Before you act, think about how to solve the task with the tools that you have. Write a short plan in numbered steps. Do not answer yet.";
/** A chunk has a limit: longer texts are cut where they are shown, and arguments shown as text. */
const SHOWN_CHARS = 2_000;
const SHOWN_ARGUMENTS = 20_000;

const count = (value: unknown): number => (typeof value === "number" && value > 0 ? value : 0);

/** A conversation under way. */
class Conversation {
  readonly #door: AgentDoor;
  readonly #request: LoopRequest;
  readonly #listener: LoopListener | null;
  readonly #messages: unknown[];
  readonly #definitions: readonly Fields[];
  #rounds = 0;
  #repairs = 0;
  #wroteText = false;
  #usedTools = false;
  #last: Fields = {};
  #prompt = 0;
  #completion = 0;
  #total = 0;
  #cost = 0;

  constructor(door: AgentDoor, request: LoopRequest, listener: LoopListener | null) {
    this.#door = door;
    this.#request = request;
    this.#listener = listener;
    this.#messages = [...request.messages];
    this.#definitions = request.mode === "direct" ? [] : toDefinitions(request.tools);
  }

  async run(): Promise<Fields> {
    const { mode, label } = this.#request;
    if (mode === "route" && this.#definitions.length === 0) {
      throw this.#door.error("INVALID_ARGUMENT", `${label}: execution_mode "route" needs tools to choose from`);
    }
    if (mode === "reasoning") await this.#plan();
    for (;;) {
      const ended = await this.#take(await this.#ask());
      if (ended !== null) return ended;
    }
  }

  /** What a model's turn means: the end, or null when it is asked again. */
  async #take(choice: Choice): Promise<Fields | null> {
    const calls = this.#definitions.length === 0 ? [] : readCalls(choice.message, this.#rounds);
    if (calls.length > 0) return this.#useTools(choice, calls);
    return this.#request.format === null ? this.#end(choice, {}) : this.#check(choice, this.#request.format);
  }

  async #plan(): Promise<void> {
    const { message } = await this.#call([...this.#messages, { role: "user", content: PLAN }], {}, false);
    this.#messages.push({ role: "assistant", content: String(message["content"] ?? "") });
    this.#messages.push({ role: "user", content: "Now carry out the plan." });
  }

  #ask(): Promise<Choice> {
    const route = this.#request.mode === "route" ? { tool_choice: "required" } : {};
    // A choice that was forced would force calls for ever: it is for the first answer.
    const free = this.#usedTools && this.#request.body["tool_choice"] !== "none" ? { tool_choice: undefined } : {};
    const tools = this.#definitions.length === 0 ? {} : { tools: this.#definitions, ...free, ...route };
    return this.#call(this.#messages, tools, this.#request.format === null);
  }

  async #call(messages: readonly unknown[], tools: Fields, shows: boolean): Promise<Choice> {
    const { body, label, max } = this.#request;
    if (this.#listener?.left() === true) {
      throw this.#door.error("INVALID_REQUEST", `${label}: the script left the stream before its end`);
    }
    if (this.#rounds >= max.value) {
      const message = `${label}: the model has not come to an end after ${max.value} calls (${max.name})`;
      throw this.#door.error("LIMIT_EXCEEDED", message, { limit: max.name, value: max.value });
    }
    this.#rounds++;
    // Model servers refuse what is said of tools where there are none.
    const { tool_choice: _choice, parallel_tool_calls: _parallel, ...plain } = body;
    const own = tools["tools"] === undefined ? plain : body;
    const completion = await this.#complete({ ...own, ...tools, messages }, shows).catch((thrown: unknown) => {
      throw this.#explained(thrown);
    });
    this.#charge(completion);
    const choices = completion["choices"];
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
    const message = isFields(choice) ? choice["message"] : undefined;
    if (!isFields(choice) || !isFields(message)) {
      throw this.#door.error("UPSTREAM_FAILED", `${label}: the model's answer has no choices[0].message`);
    }
    this.#last = completion;
    return { message, finishReason: choice["finish_reason"] };
  }

  /** A conversation that has grown too long is told as that. */
  #explained(thrown: unknown): unknown {
    if (textOf(thrown, "code") !== "LIMIT_EXCEEDED") return thrown;
    const { details } = thrown as { readonly details?: unknown };
    if (!isFields(details) || details["limit"] !== "maxArgBytes") return thrown;
    const { label } = this.#request;
    const message = `${label}: the conversation has become too long for call ${this.#rounds} of the model: ${textOf(thrown, "message")}; let the tools answer less, or set WEFT_LIMIT_MAX_ARG_BYTES`;
    return this.#door.error("LIMIT_EXCEEDED", message, details);
  }

  async #complete(body: Fields, shows: boolean): Promise<Fields> {
    const { completions } = this.#door.ctx["chat"] as { completions: { create(params: Fields): Promise<unknown> } };
    const listener = this.#listener;
    if (listener === null) return (await completions.create(body)) as Fields;
    const stream = (await completions.create({ ...body, stream: true })) as AsyncIterable<Fields> & {
      final(): Promise<Fields>;
    };
    let separator = this.#wroteText ? "\n\n" : "";
    for await (const chunk of stream) {
      // Leaving the stream ends the model's answer; what it would have been rejects then.
      if (listener.left()) break;
      listener.head(chunk);
      const delta = textDelta(chunk);
      if (delta === "" || !shows) continue;
      listener.text(separator + delta);
      separator = "";
      this.#wroteText = true;
    }
    return stream.final();
  }

  #charge(completion: Fields): void {
    const usage = isFields(completion["usage"]) ? completion["usage"] : {};
    const prompt = count(usage["prompt_tokens"]);
    const written = count(usage["completion_tokens"]);
    this.#prompt += prompt;
    this.#completion += written;
    this.#total += count(usage["total_tokens"]) || prompt + written;
    this.#cost += count(completion["cost_usd"]);
  }

  /** Makes the calls; those over the limit are left out of the conversation, which says so. */
  async #useTools({ message }: Choice, asked: readonly ToolCall[]): Promise<Fields | null> {
    const { maxToolCalls } = this.#door.limits;
    const calls = asked.slice(0, maxToolCalls);
    const { tools, parallel } = this.#request;
    const answers = await answerCalls(calls, {
      tools,
      parallel,
      door: this.#door,
      began: ({ id, name, args, text }) =>
        this.#tell("tool_call", {
          id,
          name: name.slice(0, SHOWN_CHARS),
          arguments: args !== null && text.length <= SHOWN_ARGUMENTS ? args : text.slice(0, SHOWN_CHARS),
        }),
      ended: ({ id, name }, { text, isError }) =>
        this.#tell("tool_result", {
          id,
          name: name.slice(0, SHOWN_CHARS),
          content: text.slice(0, SHOWN_CHARS),
          is_error: isError,
        }),
    });
    if (this.#request.mode === "route" && answers.every(({ isError }) => !isError)) {
      return this.#end({ message: routed(answers), finishReason: "stop" }, {});
    }
    this.#usedTools = true;
    this.#messages.push({ ...message, tool_calls: calls.map(({ raw }) => raw) });
    for (const [i, { id }] of calls.entries()) {
      this.#messages.push({ role: "tool", tool_call_id: id, content: answers[i]?.text ?? "" });
    }
    if (asked.length > calls.length) {
      const content = `Only the first ${calls.length} of your ${asked.length} tool calls were made: an answer may have ${maxToolCalls} (maxToolCalls).`;
      this.#messages.push({ role: "user", content });
    }
    return null;
  }

  #tell(type: "tool_call" | "tool_result", content: Fields): void {
    this.#listener?.event(type, { ...content, iteration: this.#rounds });
  }

  #check(choice: Choice, format: AnswerFormat): Fields | null {
    const { label, maxRepairs } = this.#request;
    const content = String(choice.message["content"] ?? "");
    const refused = choice.message["refusal"];
    if (typeof refused === "string" && refused !== "") {
      throw this.#door.error("UPSTREAM_FAILED", `${label}: the model refused: ${refused.slice(0, SHOWN_CHARS)}`);
    }
    const checked = checkAnswer(this.#door, format, content);
    if (checked.ok) {
      this.#listener?.text(this.#wroteText ? `\n\n${checked.text}` : checked.text);
      const message = { ...choice.message, content: checked.text };
      return this.#end({ message, finishReason: choice.finishReason }, { parsed: checked.value });
    }
    if (this.#repairs >= maxRepairs) {
      const message = `${label}: the answer does not match response_format after ${maxRepairs} repairs: ${checked.problem}`;
      throw this.#door.error("UPSTREAM_FAILED", message, { limit: "max_repairs", value: maxRepairs });
    }
    this.#repairs++;
    this.#messages.push({ role: "assistant", content }, { role: "user", content: repairText(checked.problem) });
    return null;
  }

  #end({ message, finishReason }: Choice, more: Fields): Fields {
    const { choices: _choices, usage: _usage, cost_usd: _cost, ...rest } = this.#last;
    const usage = { prompt_tokens: this.#prompt, completion_tokens: this.#completion, total_tokens: this.#total };
    return {
      ...rest,
      object: "chat.completion",
      choices: [
        { index: 0, message: { ...message, role: "assistant", ...more }, finish_reason: finishReason ?? "stop" },
      ],
      usage,
      cost_usd: this.#cost,
      iterations: this.#rounds,
      messages: [...this.#messages, message],
    };
  }
}

function textDelta(chunk: Fields): string {
  const choices = chunk["choices"];
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const delta = isFields(choice) ? choice["delta"] : undefined;
  const content = isFields(delta) ? delta["content"] : undefined;
  return typeof content === "string" ? content : "";
}

const routed = (answers: readonly ToolAnswer[]): Fields => ({
  role: "assistant",
  content: answers.map(({ text }) => text).join("\n\n"),
});

/** Lets a model and its tools talk until the model answers; each model call and each tool call is a ctx call of its own. Throws LIMIT_EXCEEDED after the most model calls. */
export function runLoop(door: AgentDoor, request: LoopRequest, listener: LoopListener | null): Promise<Fields> {
  return new Conversation(door, request, listener).run();
}
