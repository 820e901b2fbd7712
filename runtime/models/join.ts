import type { ModelObject } from "./completion.ts";
import { mergeDelta } from "./delta.ts";

/** One choice as gathered so far. */
export interface GatheredChoice {
  readonly message: Record<string, unknown>;
  finishReason: string | null;
}

/** Gathers the chunks of one stream into the completion they stand for. */
export interface Joiner {
  add(chunks: readonly ModelObject[]): void;
  /** By choice index. */
  readonly choices: ReadonlyMap<number, GatheredChoice>;
  /** `id`, `created`, `model` and other members of the first chunk. */
  head(): ModelObject;
  /** UTF-16 units of all texts added. */
  size(): number;
  final(): ModelObject;
}

const objectsIn = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "object" && each !== null) : [];

/** The choices of a chunk; none for a usage frame. */
export function choicesOf(chunk: ModelObject): readonly Record<string, unknown>[] {
  return objectsIn(chunk["choices"]);
}

/** The delta of a chunk's choice. */
export function deltaOf(choice: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const delta = choice["delta"];
  return typeof delta === "object" && delta !== null ? (delta as Record<string, unknown>) : {};
}

/** The place of a chunk's choice among its siblings. */
export function indexOf(choice: Readonly<Record<string, unknown>>): number {
  return typeof choice["index"] === "number" ? choice["index"] : 0;
}

function finalMessage(message: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { tool_calls: calls, ...rest } = message;
  const whole = { role: "assistant", content: null, ...rest };
  if (calls === undefined) return whole;
  const sorted = [...objectsIn(calls)].sort((a, b) => indexOf(a) - indexOf(b));
  return { ...whole, tool_calls: sorted.map(({ index: _place, ...call }) => call) };
}

/** A joiner that has seen nothing. */
export function createJoiner(): Joiner {
  const choices = new Map<number, GatheredChoice>();
  let head: Record<string, unknown> = {};
  let usage: unknown;
  let size = 0;
  const addChoice = (choice: Record<string, unknown>) => {
    const index = indexOf(choice);
    const gathered = choices.get(index) ?? { message: {}, finishReason: null };
    choices.set(index, gathered);
    const delta = deltaOf(choice);
    size += JSON.stringify(delta).length;
    mergeDelta(gathered.message, delta);
    if (typeof choice["finish_reason"] === "string") gathered.finishReason = choice["finish_reason"];
  };
  return {
    choices,
    add(chunks) {
      for (const chunk of chunks) {
        const { choices: _choices, usage: reported, object: _object, ...rest } = chunk;
        head = { ...rest, ...head };
        if (typeof reported === "object" && reported !== null) usage = reported;
        for (const choice of choicesOf(chunk)) addChoice(choice);
      }
    },
    head: () => head,
    size: () => size,
    final() {
      const sorted = [...choices].sort(([a], [b]) => a - b);
      const { id, ...rest } = head;
      return {
        id,
        object: "chat.completion",
        ...rest,
        choices: sorted.map(([index, { message, finishReason }]) => ({
          index,
          message: finalMessage(message),
          finish_reason: finishReason ?? "stop",
        })),
        ...(usage === undefined ? {} : { usage }),
      };
    },
  };
}
