import type { Compute, Node, NodeOptions, NodeRun } from "../types.ts";
import { type AnswerShape, passOnText, toAnswer } from "./answer.ts";
import { makeNode } from "./options.ts";

/** An agent that the API keeps. `run` calls `ctx.agents.completions.create` with `params`. */
export function agent(
  options: NodeOptions & {
    readonly params: Compute<object>;
    readonly run: (ctx: NodeRun["ctx"], params: object) => Promise<unknown>;
    readonly answer: AnswerShape;
  },
): Node {
  return makeNode("agent", options, {
    repeats: true,
    async run(scope, node) {
      const params = options.params(scope);
      if (!node.streams)
        return { value: toAnswer(options.answer, await node.call(() => options.run(node.ctx, params))) };
      const stream = await node.call(() => options.run(node.ctx, { ...params, stream: true }));
      return { value: toAnswer(options.answer, await passOnText(stream, node)) };
    },
  });
}
