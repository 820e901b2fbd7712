import type { Compute, Node, NodeOptions } from "../types.ts";
import { makeNode } from "./options.ts";
import type { ValueShape } from "./shape.ts";

interface Workflows {
  readonly completions: { create(params: object): Promise<{ readonly output: unknown }> };
}

/** Another workflow. `value`: its output; `output`: `{ output, status }`. */
export function subflow(
  options: NodeOptions & { readonly workflow: Compute; readonly input: Compute; readonly shape: ValueShape },
): Node {
  return makeNode("subflow", options, {
    async run(scope, node) {
      const ref = String(options.workflow(scope) ?? "");
      const model = ref.startsWith("workflow:") ? ref : `workflow:${ref}`;
      const { completions } = node.ctx["workflow"] as Workflows;
      const { output } = await node.call(() => completions.create({ model, input: options.input(scope) ?? {} }));
      return { value: options.shape === "output" ? { output, status: "completed" } : output };
    },
  });
}
