import { quoted } from "../names.ts";
import { member, type NodeView, object } from "../node-view.ts";
import { agentCall } from "./agent-call.ts";
import { messagesOf, SHAPES } from "./messages.ts";
import type { NodeType } from "./node-type.ts";

/** Members of a config that go to the model as they are. */
const FORWARDED = ["tools", "tool_choice", "top_p", "stop", "seed", "frequency_penalty", "presence_penalty"];

function formatOf(node: NodeView): string | null {
  const format = node.config["response_format"];
  if (format === undefined || format === null || format === "text") return null;
  if (format === "json" || format === "json_object") return `{ type: "json_object" }`;
  if (typeof format === "object" && !Array.isArray(format)) return JSON.stringify(format);
  node.problem("response_format", "must be text, json or an object");
  return null;
}

function bodyOf(node: NodeView): string {
  const model = node.dialect === "motte" || node.dialect === "solcognia" ? node.required("model") : node.first("model");
  const temperature = node.number("temperature", { min: 0, max: 2 });
  const most = node.number("max_tokens", { min: 1, max: 10_000_000, whole: true });
  const forwarded = FORWARDED.filter((name) => node.config[name] !== undefined && node.config[name] !== null);
  return object(
    model === undefined ? null : member("model", node.textTemplate("model", model.value)),
    member("messages", messagesOf(node)),
    temperature === null ? null : member("temperature", String(temperature)),
    most === null ? null : member("max_tokens", String(most)),
    member("response_format", formatOf(node)),
    ...forwarded.map((name) => member(name, node.template(name, node.config[name]))),
  );
}

/** A call of a model; in Powabase also of an agent. */
export const llm: NodeType = {
  kind: "llm",
  names: { solcognia: ["ai_model"], motte: ["llm_agent"], powabase: ["agent"], hatz: ["prompt"] },
  emit(node) {
    if (node.dialect === "powabase" && node.first("agent_id") !== undefined) return agentCall(node, "agent_id");
    return node.call("llm", `answer: ${quoted(SHAPES[node.dialect])}`, `body: (s) => (${bodyOf(node)})`);
  },
};
