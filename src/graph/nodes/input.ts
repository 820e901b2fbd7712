import type { NodeType } from "./node-type.ts";

/** Where a run begins. */
export const input: NodeType = {
  kind: "entry",
  names: { solcognia: ["input"], motte: ["input"], hatz: ["input"] },
  emit: (node) => node.call("entry", `shape: "value"`),
};
