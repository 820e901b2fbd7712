import type { GraphDialect } from "../types.ts";
import { agent } from "./agent.ts";
import { approval } from "./approval.ts";
import { blockCondition } from "./block-condition.ts";
import { code } from "./code.ts";
import { condition } from "./condition.ts";
import { conditional } from "./conditional.ts";
import { delay } from "./delay.ts";
import { http } from "./http.ts";
import { input } from "./input.ts";
import { llm } from "./llm.ts";
import { memory } from "./memory.ts";
import type { NodeType } from "./node-type.ts";
import { output } from "./output.ts";
import { parallel } from "./parallel.ts";
import { platform } from "./platform.ts";
import { processing } from "./processing.ts";
import { response } from "./response.ts";
import { split } from "./split.ts";
import { starter } from "./starter.ts";
import { subflow } from "./subflow.ts";
import { transform } from "./transform.ts";
import { webhook } from "./webhook.ts";

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
