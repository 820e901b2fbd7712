import type { GraphDialect } from "../types.ts";
import { code, processing, transform } from "./code.ts";
import { blockCondition, condition, conditional } from "./condition.ts";
import { memory, platform, subflow } from "./data.ts";
import { input, output, response, starter, webhook } from "./ends.ts";
import { approval, delay, parallel, split } from "./flow.ts";
import { http } from "./http.ts";
import { agent, llm } from "./llm.ts";
import type { NodeType } from "./node-type.ts";

/** Every type of node. */
export const NODE_TYPES: readonly NodeType[] = [
  ...[input, starter, webhook, llm, agent, http, transform, code, processing, condition, conditional],
  ...[blockCondition, memory, subflow, platform, parallel, split, approval, delay, output, response],
];

const byName = new Map(
  NODE_TYPES.flatMap((type) =>
    Object.entries(type.names).flatMap(([dialect, names]) =>
      names.map((name) => [`${dialect}:${name}`, type] as const),
    ),
  ),
);

/** The type of that name in a dialect; null when there is none. */
export function findType(dialect: GraphDialect, name: string): NodeType | null {
  return byName.get(`${dialect}:${name}`) ?? null;
}

/** Names of the types of a dialect. */
export function typeNames(dialect: GraphDialect): readonly string[] {
  return NODE_TYPES.flatMap(({ names }) => names[dialect] ?? []);
}
