import type { NodeView } from "../node-view.ts";

/** What the model is told: a system text and what the user says, or the messages themselves. */
export function messagesOf(node: NodeView): string {
  const system = node.first("system_prompt", "system");
  const first =
    system === undefined ? [] : [`{ role: "system", content: ${node.textTemplate(system.key, system.value)} }`];
  const { messages } = node.config;
  const names =
    node.dialect === "powabase" ? ["input", "message", "messages", "prompt"] : ["prompt", "messages", "message"];
  const said = node.first(...names);
  if (said === undefined) {
    if (node.dialect !== "powabase") node.problem("prompt", "is required");
    node.use("text", "gathered");
    return `[${[...first, '{ role: "user", content: text(gathered(s.upstream, "output")) }'].join(", ")}]`;
  }
  if (said.key === "messages" && Array.isArray(messages)) {
    const list = node.template("messages", messages);
    return first.length === 0 ? list : `[${first.join(", ")}, ...${list}]`;
  }
  return `[${[...first, `{ role: "user", content: ${node.textTemplate(said.key, said.value)} }`].join(", ")}]`;
}

/** What the answer of a model becomes, by dialect. */
export const SHAPES = { solcognia: "object", motte: "object", hatz: "text", powabase: "block" } as const;
