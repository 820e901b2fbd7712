import { truthy } from "../text.ts";
import type { Compute, Node, NodeOptions } from "../types.ts";
import { makeNode } from "./options.ts";

/** Takes the route of the first case that holds, else `otherwise`. `matched`: `{ matched, branch }`; `route`: `{ output, result, route }`. */
export function choose(
  options: NodeOptions & {
    readonly cases: readonly { readonly when: Compute; readonly route: string }[];
    readonly otherwise: string | null;
    readonly shape: "matched" | "route";
  },
): Node {
  return makeNode("switch", options, {
    run(scope) {
      const found = options.cases.find(({ when }) => truthy(when(scope)));
      const matched = found !== undefined;
      const route = found?.route ?? options.otherwise;
      const value =
        options.shape === "matched" ? { matched, branch: route } : { output: matched, result: matched, route };
      return route === null ? { value } : { value, route };
    },
  });
}
