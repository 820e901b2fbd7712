import { memberName } from "../names.ts";
import type { NodeView } from "../node-view.ts";
import type { NodeType } from "./node-type.ts";
import { scriptNode } from "./script-node.ts";
import { asBody } from "./shape.ts";

function merged(node: NodeView): string {
  const { sources } = node.config;
  const list = Array.isArray(sources) ? sources : node.before;
  const names = list.filter((one) => typeof one === "string");
  if (Array.isArray(sources) && names.length !== sources.length)
    node.problem("sources", "must be an array of ids of nodes");
  const known = new Set(node.writing.graph.nodes.map(({ id }) => id));
  for (const name of names) if (!known.has(name)) node.problem("sources", `there is no node ${JSON.stringify(name)}`);
  node.use("at");
  return `{ ${names.map((id) => `${memberName(id)}: at(s.nodes, ${JSON.stringify(id)})`).join(", ")} }`;
}

/** Handles data: a script, a template, a path into a value, or several values put together. */
export const processing: NodeType = {
  kind: "code",
  names: { solcognia: ["processing"] },
  emit(node) {
    const usual = node.first("script") === undefined && node.first("template") !== undefined ? "template" : "script";
    const operation = node.oneOf("operation", ["script", "template", "extract", "merge"], usual);
    if (operation === "script") return scriptNode(node, "script", false);
    const value = (code: string) => node.call("pass", `shape: "value"`, `value: (s) => ${code}`);
    if (operation === "template")
      return value(asBody(node.template("template", node.required("template")?.value ?? "")));
    if (operation === "extract") return value(node.expression("path", node.required("path")?.value ?? "null"));
    return value(asBody(merged(node)));
  },
};
