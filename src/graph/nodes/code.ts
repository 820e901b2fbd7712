import type { NodeType } from "./node-type.ts";
import { scriptNode } from "./script-node.ts";

const LANGUAGES = ["javascript", "typescript", "js", "ts"];

/** A block of code: statements that assign to `output` or `result`. */
export const code: NodeType = {
  kind: "code",
  names: { powabase: ["code", "function"] },
  emit(node) {
    const language = node.config["language"] ?? "javascript";
    if (typeof language !== "string" || !LANGUAGES.includes(language.toLowerCase())) {
      node.problem("language", `must be javascript or typescript: ${JSON.stringify(language)} is not run here`);
    }
    return scriptNode(node, "code", true);
  },
};
