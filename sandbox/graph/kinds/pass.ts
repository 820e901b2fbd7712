import { gathered } from "../text.ts";
import type { Compute, Node, NodeOptions } from "../types.ts";
import { makeNode } from "./options.ts";
import { shaped, type ValueShape } from "./shape.ts";

/** Passes on what comes before it. */
export function pass(options: NodeOptions & { readonly shape: ValueShape; readonly value?: Compute }): Node {
  return makeNode("pass", options, {
    run: (scope) => ({ value: shaped(options.shape, options.value?.(scope) ?? gathered(scope.upstream)) }),
  });
}
