import { quoted } from "../names.ts";
import { member, type NodeView, object } from "../node-view.ts";
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

/** What the model is told: a system text and what the user says, or the messages themselves. */
function messagesOf(node: NodeView): string {
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

const SHAPES = { solcognia: "object", motte: "object", hatz: "text", powabase: "block" } as const;

function agentCall(node: NodeView, key: string): string {
  const message = messagesOf(node);
  const id = node.textTemplate(key, node.config[key]);
  return node.call(
    "agent",
    `answer: "${SHAPES[node.dialect]}"`,
    `params: (s) => (${object(`agent: ${id}`, `messages: ${message}`)})`,
    "run: (ctx, params) => ctx.agents.completions.create(params)",
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

/** An agent of the API. */
export const agent: NodeType = {
  kind: "agent",
  names: { solcognia: ["agent"], motte: ["agent"], hatz: ["agent"] },
  emit(node) {
    node.required("agent");
    return agentCall(node, "agent");
  },
};
