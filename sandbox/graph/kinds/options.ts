import type { Node, NodeOptions } from "../types.ts";

/** The part of a node that its options say; absent members stay absent. */
export function named(options: NodeOptions): NodeOptions {
  const { type, name, retries, timeoutMs, onError, enabled } = options;
  return {
    type,
    ...(name === undefined ? {} : { name }),
    ...(retries === undefined ? {} : { retries }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(onError === undefined ? {} : { onError }),
    ...(enabled === undefined ? {} : { enabled }),
  };
}

/** Puts a node together. */
export function makeNode(
  kind: string,
  options: NodeOptions,
  rest: Pick<Node, "run"> & Partial<Pick<Node, "repeats" | "recover">>,
): Node {
  return { ...named(options), kind, repeats: false, ...rest };
}

type Fields = Readonly<Record<string, unknown>>;
/** True for an object that is no list. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
