import type { NodeView } from "../node-view.ts";
import type { GraphDialect, GraphNode, NodeKind } from "../types.ts";

/** Routes that a node may take. `fallback`: the one that an edge without a condition asks for; null: such an edge is always live. */
export interface Routes {
  readonly names: readonly string[];
  readonly fallback: string | null;
}

/** One kind of node: what it is called, what its config may hold, and the script that it becomes. */
export interface NodeType {
  readonly kind: NodeKind;
  /** Its names in each dialect. */
  readonly names: Partial<Record<GraphDialect, readonly string[]>>;
  /** Of nodes that choose. */
  routes?(node: Pick<GraphNode, "config">, dialect: GraphDialect): Routes;
  /** TypeScript of the node, a call of a function of `weft/graph`; reports every problem of its config. */
  emit(node: NodeView): string;
}
