import { isFields } from "../dialects/read.ts";
import { quoted } from "../names.ts";
import { member, type NodeView, object } from "../node-view.ts";
import type { NodeType } from "./node-type.ts";

const shapeOf = (node: NodeView): string => `shape: "${node.dialect === "powabase" ? "output" : "value"}"`;

/** The datastore that is searched where a node names none; made when it is first needed. */
export const DEFAULT_DATASTORE = "memory";

function searched(node: NodeView, query: { readonly key: string; readonly value: unknown } | undefined): string {
  const store = node.text("datastore") ?? node.text("knowledge_base") ?? node.text("memory_bank") ?? DEFAULT_DATASTORE;
  node.writing.datastores.add(store);
  const most = node.number("limit", { min: 1, max: 1_000, whole: true }) ?? 5;
  const threshold = node.number("threshold", { min: 0, max: 1_000_000 }) ?? 0;
  const filters = node.config["filters"];
  if (filters !== undefined && filters !== null && !isFields(filters)) node.problem("filters", "must be an object");
  const sort = node.oneOf("sort_by", ["similarity", "relevance", "time", "recency", "created_at"], "similarity");
  const mode = node.oneOf("mode", ["keyword", "vector", "hybrid"], "keyword");
  const params = object(
    member("query", query === undefined ? `""` : node.textTemplate(query.key, query.value)),
    member("top_k", String(most)),
    mode === "keyword" ? null : member("mode", quoted(mode)),
    isFields(filters) ? member("filter", node.template("filters", filters)) : null,
  );
  return node.call(
    "memory",
    shapeOf(node),
    `datastore: ${quoted(store)}`,
    `threshold: ${threshold}`,
    `includeMetadata: ${node.flag("include_metadata", true)}`,
    `sortBy: "${sort === "similarity" || sort === "relevance" ? "similarity" : "time"}"`,
    `search: (s) => (${params})`,
  );
}

/** A question to a datastore. */
export const memory: NodeType = {
  kind: "memory",
  names: { motte: ["memory_query"], solcognia: ["memory_query", "knowledge"], hatz: ["memory_query"] },
  emit: (node) => searched(node, node.required("query")),
};

function called(
  node: NodeView,
  key: string,
  input: { readonly key: string; readonly value: unknown } | undefined,
): string {
  const ref = node.required(key);
  const target = ref === undefined ? `""` : node.textTemplate(key, ref.value);
  const value = input === undefined ? "s.input" : node.template(input.key, input.value);
  return node.call(
    "subflow",
    shapeOf(node),
    `workflow: (s) => ${target}`,
    `input: (s) => ${value.startsWith("{") ? `(${value})` : value}`,
  );
}

/** Another workflow. */
export const subflow: NodeType = {
  kind: "subflow",
  names: { motte: ["workflow"], solcognia: ["workflow"], hatz: ["workflow"], powabase: ["orchestration", "workflow"] },
  emit(node) {
    const key =
      node.dialect === "powabase" && node.first("orchestration_id") !== undefined ? "orchestration_id" : "workflow";
    return called(node, key, node.first("input", "inputs", "message"));
  },
};

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
