import type { NodeType } from "./node-type.ts";
import { scriptNode } from "./script-node.ts";

/** A script of the author. */
export const transform: NodeType = {
  kind: "code",
  names: { motte: ["transform"], solcognia: ["transform", "script"], hatz: ["script"] },
  emit: (node) => scriptNode(node, "script", false),
};
