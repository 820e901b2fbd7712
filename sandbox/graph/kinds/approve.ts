import type { Compute, Node, NodeOptions, NodeRun } from "../types.ts";
import { isFields, makeNode } from "./options.ts";
import type { ValueShape } from "./shape.ts";

interface Person {
  approve(question: object): Promise<unknown>;
}

/** Asks a person. Routes `approved` and `rejected` (nobody answered in time is rejected too). */
export function approve(
  options: NodeOptions & { readonly question: Compute<object>; readonly shape: ValueShape },
): Node {
  return makeNode("approval", options, {
    async run(scope, node) {
      const { approve: ask } = node.ctx as NodeRun["ctx"] & Person;
      const decision = await node.call(() => ask(options.question(scope)));
      const value = isFields(decision) ? decision : { approved: false, timed_out: true };
      const route = value["approved"] === true ? "approved" : "rejected";
      return { value: options.shape === "output" ? { output: value } : value, route };
    },
  });
}
