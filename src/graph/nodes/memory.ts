import { isFields } from "../dialects/read.ts";
import { quoted } from "../names.ts";
import { member, type NodeView, object } from "../node-view.ts";
import type { NodeType } from "./node-type.ts";
import { shapeOf } from "./shape.ts";

/** The datastore that is searched where a node names none; made when it is first needed. */
export const DEFAULT_DATASTORE = "memory";

/** A search with the options of a config. */
export function searched(node: NodeView, query: { readonly key: string; readonly value: unknown } | undefined): string {
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
