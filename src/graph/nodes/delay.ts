import type { NodeType } from "./node-type.ts";
import { shapeOf } from "./shape.ts";

/** Waits. */
export const delay: NodeType = {
  kind: "delay",
  names: { solcognia: ["delay"], motte: ["delay"], powabase: ["delay", "wait"], hatz: ["delay"] },
  emit(node) {
    const found = node.required("duration");
    const duration = found === undefined ? "0" : node.template("duration", found.value);
    return node.call("delay", shapeOf(node), `duration: (s) => ${duration}`);
  },
};
