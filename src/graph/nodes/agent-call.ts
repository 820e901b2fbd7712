import { type NodeView, object } from "../node-view.ts";
import { messagesOf, SHAPES } from "./messages.ts";

/** A call of an agent that the API keeps; the member `key` names it. */
export function agentCall(node: NodeView, key: string): string {
  const message = messagesOf(node);
  const id = node.textTemplate(key, node.config[key]);
  return node.call(
    "agent",
    `answer: "${SHAPES[node.dialect]}"`,
    `params: (s) => (${object(`agent: ${id}`, `messages: ${message}`)})`,
    "run: (ctx, params) => ctx.agents.completions.create(params)",
  );
}
