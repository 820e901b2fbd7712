import { randomBytes, randomUUID } from "node:crypto";
import type { Graph, GraphNode } from "../../graph/types.ts";
import type { Trigger } from "../../store/store.ts";

const SECRET_BYTES = 24;

const isWebhook = ({ type }: GraphNode): boolean => type === "webhook";

const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** Gives webhook blocks the id and the secret that they lack: those that the same block had before, else new ones. */
export function withWebhookKeys(graph: Graph, before: Graph | null): Graph {
  if (!graph.nodes.some(isWebhook)) return graph;
  const known = new Map(before?.nodes.filter(isWebhook).map((node) => [node.id, node.config]) ?? []);
  const nodes = graph.nodes.map((node) => {
    if (!isWebhook(node)) return node;
    const old = known.get(node.id) ?? {};
    const id = textOf(node.config["webhook_id"]) ?? textOf(old["webhook_id"]) ?? randomUUID();
    const secret =
      textOf(node.config["webhook_secret"]) ??
      textOf(old["webhook_secret"]) ??
      `whk_${randomBytes(SECRET_BYTES).toString("base64url")}`;
    return { ...node, config: { ...node.config, webhook_id: id.toLowerCase(), webhook_secret: secret } };
  });
  return { ...graph, nodes };
}

/** The webhooks of a graph. */
export function triggersOf(graph: Graph): readonly Omit<Trigger, "workflowId" | "accountId">[] {
  return graph.nodes.filter(isWebhook).map(({ id: nodeId, config }) => ({
    id: String(config["webhook_id"]),
    nodeId,
    secret: String(config["webhook_secret"]),
    singleUse: config["single_use"] !== false,
  }));
}
