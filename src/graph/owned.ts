import type { GraphPart } from "./types.ts";

/** Ids of the nodes that parallel nodes of a graph run themselves. */
export function ownedIds(part: GraphPart): ReadonlyMap<string, string> {
  const owned = new Map<string, string>();
  for (const { id, kind, config } of part.nodes) {
    if (kind !== "parallel" || !Array.isArray(config["branches"])) continue;
    for (const one of config["branches"])
      if (typeof one === "string" && one !== id && !owned.has(one)) owned.set(one, id);
  }
  return owned;
}
