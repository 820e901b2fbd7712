import { problemText, schemaProblems } from "./json-schema.ts";
import { type AgentDoor, type Fields, isFields, type Tool, type ToolAnswer, type Toolset, textOf } from "./types.ts";

/** One call that a model asks for, with nothing missing. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** What the model wrote. */
  readonly text: string;
  /** What it means; null when it is not a JSON object. */
  readonly args: Fields | null;
  /** The call as it goes back to the model. */
  readonly raw: Fields;
}

/** Calls at once. */
const PARALLEL = 16;
/** Errors that are no tool's: the execution has to end. */
const FINAL = new Set(["BUDGET_EXCEEDED", "EXECUTION_CANCELLED", "REPLAY_DIVERGED", "SECRETS_LOST"]);
const SHOWN = 500;

function parseArguments(text: string): Fields | null {
  if (text.trim() === "") return {};
  try {
    const args: unknown = JSON.parse(text);
    return isFields(args) ? args : null;
  } catch {
    return null;
  }
}

/** A name as it may go back: model servers refuse a conversation with any other. */
const sendable = (name: string): string => name.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, 64) || "unnamed";

/** The calls of an assistant message, whatever it looks like; `round` makes ids for calls without one of their own. */
export function readCalls(message: Fields, round: number): readonly ToolCall[] {
  const calls = Array.isArray(message["tool_calls"]) ? (message["tool_calls"] as unknown[]) : [];
  const ids = new Set<unknown>(["", undefined]);
  return calls.filter(isFields).map((call, i) => {
    const fields = isFields(call["function"]) ? call["function"] : {};
    const name = typeof fields["name"] === "string" ? fields["name"] : "";
    const id = typeof call["id"] === "string" && !ids.has(call["id"]) ? call["id"] : `call_${round}_${i}`;
    ids.add(id);
    const given = fields["arguments"];
    const text = typeof given === "string" ? given : JSON.stringify(given ?? {});
    const args = parseArguments(text);
    // Many model servers refuse a conversation with arguments that are no JSON.
    const json = args === null ? "{}" : text.trim() === "" ? "{}" : text;
    return {
      id,
      name,
      text,
      args,
      raw: { ...call, id, type: "function", function: { ...fields, name: sendable(name), arguments: json } },
    };
  });
}

const refusal = (text: string): ToolAnswer => ({ text: `Error: ${text}`, isError: true });

function checkArguments(tool: Tool, args: Fields): string | null {
  if (!tool.checked || tool.parameters === null) return null;
  try {
    const problems = schemaProblems(tool.parameters, args);
    return problems.length === 0 ? null : problemText(problems);
  } catch {
    // A schema that cannot be read says nothing about the arguments.
    return null;
  }
}

function cut({ text, isError }: ToolAnswer, max: number): ToolAnswer {
  if (text.length <= max) return { text, isError };
  // Half a surrogate pair at the end is no text that may be sent.
  const start = text.slice(0, max).replace(/[\uD800-\uDBFF]$/, "");
  return {
    text: `${start}\n[cut here: ${text.length} characters, over ${max} (maxToolTextBytes)]`,
    isError,
  };
}

async function answerCall(call: ToolCall, tools: Toolset): Promise<ToolAnswer> {
  const { name, args, text } = call;
  const tool = tools.get(name);
  if (tool === undefined) {
    return refusal(
      `there is no tool ${JSON.stringify(name.slice(0, SHOWN))}. The tools are: ${[...tools.keys()].join(", ")}`,
    );
  }
  if (args === null) return refusal(`the arguments of ${name} must be one JSON object, got: ${text.slice(0, SHOWN)}`);
  const problem = checkArguments(tool, args);
  if (problem !== null) return refusal(`the arguments of ${name} do not match its parameters: ${problem}`);
  try {
    return await tool.run(args);
  } catch (thrown) {
    if (FINAL.has(textOf(thrown, "code") ?? "")) throw thrown;
    const why = typeof thrown === "string" ? thrown : (textOf(thrown, "message") ?? typeof thrown);
    return refusal(`${name} failed: ${why}`);
  }
}

/** How the calls of one answer are made. */
export interface CallRules {
  readonly tools: Toolset;
  readonly door: AgentDoor;
  /** False: one after another. */
  readonly parallel: boolean;
  began(call: ToolCall): void;
  ended(call: ToolCall, answer: ToolAnswer): void;
}

/** Makes calls, several at once, and resolves to their answers in the order of the calls; what a tool throws is its answer. */
export async function answerCalls(calls: readonly ToolCall[], rules: CallRules): Promise<readonly ToolAnswer[]> {
  const { tools, door, parallel, began, ended } = rules;
  const answers: ToolAnswer[] = [];
  let next = 0;
  const work = async () => {
    for (let i = next++; i < calls.length; i = next++) {
      const call = calls[i] as ToolCall;
      began(call);
      const answer = cut(await answerCall(call, tools), door.limits.maxToolTextBytes);
      answers[i] = answer;
      ended(call, answer);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel ? PARALLEL : 1, calls.length) }, work));
  return answers;
}
