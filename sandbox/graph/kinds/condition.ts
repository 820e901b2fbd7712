import { truthy } from "../text.ts";
import type { Compute, Node, NodeOptions } from "../types.ts";
import { makeNode } from "./options.ts";

/** A test: its value is true or false, and so is its route. */
export function condition(options: NodeOptions & { readonly test: Compute }): Node {
  return makeNode("condition", options, {
    run(scope) {
      const value = truthy(options.test(scope));
      return { value, route: String(value) };
    },
  });
}
