import type { NodeType } from "./node-type.ts";
import { asBody, shapeOf } from "./shape.ts";

/** Passes on what it gets to several branches. */
export const split: NodeType = {
  kind: "pass",
  names: { powabase: ["split"], motte: ["pass"], solcognia: ["pass"], hatz: ["pass"] },
  emit(node) {
    const input = node.first("input");
    const value = input === undefined ? null : `value: (s) => ${asBody(node.template("input", input.value))}`;
    return node.call("pass", shapeOf(node), value);
  },
};
