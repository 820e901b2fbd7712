import type { NodeView } from "../node-view.ts";
import { shapeOf } from "./shape.ts";

const ARGS =
  "args: (s) => ({ input: s.input, inputs: s.input, variables: s.input, nodes: s.nodes, context: s.context, input_data: s.upstream, env: s.env, secrets: s.secrets })";

/** A node that runs the script in the member `key`; `statements`: never an expression. */
export function scriptNode(node: NodeView, key: string, statements: boolean): string {
  const found = node.required(key);
  if (found !== undefined && typeof found.value !== "string") node.problem(key, "must be a string");
  const text = typeof found?.value === "string" ? found.value : "null";
  return node.call("code", shapeOf(node), ARGS, `run: ${node.script(key, text, statements)}`);
}
