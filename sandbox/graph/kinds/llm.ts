import type { Compute, Node, NodeOptions } from "../types.ts";
import { type AnswerShape, passOnText, toAnswer } from "./answer.ts";
import { makeNode } from "./options.ts";

interface Chat {
  readonly completions: { create(body: object): Promise<unknown> };
}

/** A call of a model. `body`: what `ctx.chat.completions.create` takes. */
export function llm(options: NodeOptions & { readonly body: Compute<object>; readonly answer: AnswerShape }): Node {
  return makeNode("llm", options, {
    repeats: true,
    async run(scope, node) {
      const { completions } = node.ctx["chat"] as Chat;
      const timeout = node.timeoutMs === null ? {} : { timeout_ms: node.timeoutMs };
      const body = { ...options.body(scope), ...timeout, max_retries: 0 };
      const completion = node.streams
        ? await passOnText(await node.call(() => completions.create({ ...body, stream: true })), node)
        : await node.call(() => completions.create(body));
      return { value: toAnswer(options.answer, completion) };
    },
  });
}
