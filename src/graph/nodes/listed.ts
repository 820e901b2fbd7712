import { isFields } from "../dialects/read.ts";
import type { GraphNode } from "../types.ts";

/** The objects of a list in a config; none where it is no list. */
export const listed = (config: GraphNode["config"], name: string): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(config[name]) ? (config[name] as readonly unknown[]).filter(isFields) : [];
