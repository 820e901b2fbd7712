import type { Compute, Node, NodeOptions } from "../types.ts";
import { makeNode } from "./options.ts";

/** What a run ends with. */
export function output(options: NodeOptions & { readonly render: Compute }): Node {
  return makeNode("output", options, { run: (scope) => ({ value: options.render(scope) ?? null }) });
}
