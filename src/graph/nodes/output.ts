import type { NodeType } from "./node-type.ts";

/** What a run answers. */
export const output: NodeType = {
  kind: "output",
  names: { solcognia: ["output"], motte: ["output"], hatz: ["output"] },
  emit(node) {
    const format = node.oneOf("format", ["json", "text", "markdown"], "json");
    const found = node.first("template", "value");
    if (found === undefined) {
      node.use("gathered");
      return node.call("output", "render: (s) => gathered(s.upstream)");
    }
    const code = format === "json" ? node.template(found.key, found.value) : node.textTemplate(found.key, found.value);
    return node.call("output", `render: (s) => ${code.startsWith("{") ? `(${code})` : code}`);
  },
};
