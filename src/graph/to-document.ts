import type { Fields, Graph, GraphDialect, GraphEdge, GraphNode } from "./types.ts";

/** A node as documents have it. */
export function toNode({ id, type, name, position, enabled, config }: GraphNode): Record<string, unknown> {
  return {
    id,
    type,
    ...(name === null ? {} : { name }),
    ...(position === null ? {} : { position }),
    ...(enabled ? {} : { enabled }),
    config,
  };
}

/** An edge as documents of the `from`/`to` kind have it. */
export function toConnection({ id, from, to, label, sourceHandle, targetHandle }: GraphEdge): Record<string, unknown> {
  return {
    id,
    from,
    to,
    ...(label === null ? {} : { condition: label }),
    ...(sourceHandle === null ? {} : { sourceHandle }),
    ...(targetHandle === null ? {} : { targetHandle }),
  };
}

/** A block as Powabase shows it: nothing is left out. */
export function toBlock({ id, type, name, position, config, enabled }: GraphNode): Record<string, unknown> {
  return { id, type, name: name ?? id, position: position ?? { x: 0, y: 0 }, config, enabled };
}

/** An edge between blocks as Powabase shows it. */
export function toBlockEdge({ id, from, to, label, sourceHandle, targetHandle }: GraphEdge): Record<string, unknown> {
  return { id, source: from, target: to, sourceHandle, targetHandle, condition: label };
}

const NODE_LISTS: Readonly<Record<GraphDialect, string>> = {
  solcognia: "nodes",
  motte: "nodes",
  powabase: "blocks",
  hatz: "nodes",
};
const EDGE_LISTS: Readonly<Record<GraphDialect, string>> = {
  solcognia: "connections",
  motte: "edges",
  powabase: "edges",
  hatz: "edges",
};

/** Parts of a document: nodes and edges as they are written, whatever they are called in it. */
export interface DocumentParts {
  readonly nodes: readonly Fields[];
  readonly edges: readonly Fields[];
  readonly settings: Fields;
}

/** The parts of a stored graph. */
export function partsOf(graph: Graph): DocumentParts {
  const edges = graph.dialect === "powabase" ? graph.edges.map(toBlockEdge) : graph.edges.map(toConnection);
  return { nodes: graph.nodes.map(toNode), edges, settings: { ...graph.settings } };
}

/** A document in a dialect's own form, of its parts. */
export function toDocument(dialect: GraphDialect, { nodes, edges, settings }: DocumentParts): Fields {
  return { [NODE_LISTS[dialect]]: nodes, [EDGE_LISTS[dialect]]: edges, settings };
}
