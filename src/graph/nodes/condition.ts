import type { NodeType } from "./node-type.ts";

/** True or false. */
export const condition: NodeType = {
  kind: "condition",
  names: { motte: ["condition"], solcognia: ["condition"], hatz: ["condition"] },
  routes: () => ({ names: ["true", "false"], fallback: "true" }),
  emit(node) {
    const found = node.required("condition", "expression");
    const test = found === undefined ? "null" : node.expression(found.key, found.value);
    return node.call("condition", `test: (s) => ${test}`);
  },
};
