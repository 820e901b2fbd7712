import type { Compute, Node, NodeOptions } from "../types.ts";
import { makeNode } from "./options.ts";
import { shaped, type ValueShape } from "./shape.ts";

/** A script of the graph's author. `args`: what it sees, beside `files` and `log` of ctx. */
export function code(
  options: NodeOptions & {
    readonly run: (args: never) => unknown;
    readonly args: Compute<object>;
    readonly shape: ValueShape;
  },
): Node {
  const run = options.run as (args: object) => unknown;
  return makeNode("code", options, {
    run(scope, { ctx }) {
      const value = run({ ...options.args(scope), files: ctx["files"], log: ctx["log"] });
      const isLater =
        typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
      if (!isLater) return { value: shaped(options.shape, value) };
      return Promise.resolve(value).then((found) => ({ value: shaped(options.shape, found) }));
    },
  });
}
