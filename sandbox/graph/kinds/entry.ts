import type { Node, NodeOptions } from "../types.ts";
import { makeNode } from "./options.ts";
import { shaped, type ValueShape } from "./shape.ts";

/** Where a run begins: its value is the input. */
export function entry(options: NodeOptions & { readonly shape: ValueShape; readonly defaults?: object }): Node {
  return makeNode("entry", options, {
    run: ({ input }) => {
      const { defaults } = options;
      const isMap = input === null || (typeof input === "object" && !Array.isArray(input));
      return { value: shaped(options.shape, defaults !== undefined && isMap ? { ...defaults, ...input } : input) };
    },
  });
}
