import { isFields } from "../dialects/read.ts";
import { member } from "../node-view.ts";
import type { NodeType } from "./node-type.ts";

/** Where a run of a Powabase graph begins: the variables, over its own defaults. */
export const starter: NodeType = {
  kind: "entry",
  names: { powabase: ["starter"] },
  emit(node) {
    const defaults = node.config["input"];
    if (defaults !== undefined && defaults !== null && !isFields(defaults) && typeof defaults !== "string")
      node.problem("input", "must be an object");
    return node.call(
      "entry",
      `shape: "output"`,
      isFields(defaults) ? member("defaults", JSON.stringify(defaults)) : null,
    );
  },
};
