import { isFields } from "../dialects/read.ts";
import type { NodeView } from "../node-view.ts";
import { searched } from "./memory.ts";
import type { NodeType } from "./node-type.ts";
import { shapeOf } from "./shape.ts";
import { called } from "./subflow.ts";

const OPERATIONS: Readonly<Record<string, string>> = {
  workflows: "workflow",
  workflow: "workflow",
  knowledge_bases: "search",
  knowledge_base: "search",
  datastores: "search",
  datastore: "search",
  agents: "agent",
  agent: "agent",
};

function askedAgent(node: NodeView): string {
  const id = node.required("resource_id");
  const body = node.first("body", "input", "message");
  node.use("text");
  const said = body === undefined ? "text(s.input)" : `text(${node.template(body.key, body.value)})`;
  return node.call(
    "agent",
    `answer: "block"`,
    `params: (s) => ({ agent: ${id === undefined ? `""` : node.textTemplate("resource_id", id.value)}, messages: [{ role: "user", content: ${said} }] })`,
    "run: (ctx, params) => ctx.agents.completions.create(params)",
  );
}

/** What this server has: workflows, datastores, agents. */
export const platform: NodeType = {
  kind: "subflow",
  names: { powabase: ["platform_api"] },
  emit(node) {
    const resource = node.config["resource"];
    const operation = typeof resource === "string" && Object.hasOwn(OPERATIONS, resource) ? OPERATIONS[resource] : null;
    if (operation === "workflow") return called(node, "resource_id", node.first("body", "params", "input"));
    if (operation === "agent") return askedAgent(node);
    if (operation === "search") {
      const body = isFields(node.config["body"]) ? node.config["body"] : {};
      const query = node.first("query") ?? { key: "body.query", value: body["query"] ?? "" };
      return searched(node, query);
    }
    node.problem(
      "resource",
      `must be one of workflows, datastores, agents, got ${JSON.stringify(resource ?? null).slice(0, 100)}`,
    );
    return node.call("pass", shapeOf(node));
  },
};
