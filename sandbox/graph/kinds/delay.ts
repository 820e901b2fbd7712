import { gathered } from "../text.ts";
import type { Compute, Node, NodeOptions, NodeRun } from "../types.ts";
import { makeNode } from "./options.ts";
import type { ValueShape } from "./shape.ts";

/** Waits; a long wait uses no memory. */
export function delay(options: NodeOptions & { readonly duration: Compute; readonly shape: ValueShape }): Node {
  return makeNode("delay", options, {
    async run(scope, node) {
      const { sleep } = node.ctx as NodeRun["ctx"] & { sleep(duration: unknown): Promise<void> };
      await node.call(() => sleep(options.duration(scope)));
      const value = gathered(scope.upstream);
      return { value: options.shape === "output" ? { output: value } : value };
    },
  });
}
