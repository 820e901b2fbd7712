import { memberName } from "../names.ts";
import type { NodeView } from "../node-view.ts";
import type { NodeType } from "./node-type.ts";

const ARGS =
  "args: (s) => ({ input: s.input, inputs: s.input, variables: s.input, nodes: s.nodes, context: s.context, input_data: s.upstream })";

const shapeOf = (node: NodeView): string => `shape: "${node.dialect === "powabase" ? "output" : "value"}"`;

function scriptNode(node: NodeView, key: string, statements: boolean): string {
  const found = node.required(key);
  if (found !== undefined && typeof found.value !== "string") node.problem(key, "must be a string");
  const text = typeof found?.value === "string" ? found.value : "null";
  return node.call("code", shapeOf(node), ARGS, `run: ${node.script(key, text, statements)}`);
}

const LANGUAGES = ["javascript", "typescript", "js", "ts"];

/** A script of the author. */
export const transform: NodeType = {
  kind: "code",
  names: { motte: ["transform"], solcognia: ["transform", "script"], hatz: ["script"] },
  emit: (node) => scriptNode(node, "script", false),
};

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
      return value(wrapped(node.template("template", node.required("template")?.value ?? "")));
    if (operation === "extract") return value(node.expression("path", node.required("path")?.value ?? "null"));
    return value(wrapped(merged(node)));
  },
};

const wrapped = (code: string): string => (code.startsWith("{") ? `(${code})` : code);
