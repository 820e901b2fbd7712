import { findType } from "../nodes/index.ts";
import type { Routes } from "../nodes/node-type.ts";
import { type Problems, shown } from "../problems.ts";
import type { GraphDialect, GraphEdge, GraphNode } from "../types.ts";

/** Nodes and edges as they were read; conditions of edges are not yet understood. */
export interface RawGraph {
  readonly dialect: GraphDialect;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly (GraphEdge & { readonly path: string })[];
  /** What the list of nodes is called. */
  readonly list: string;
}

/** Gives each node the kind that its type has in a dialect. */
export function withKinds(
  dialect: GraphDialect,
  nodes: readonly Omit<GraphNode, "kind">[],
  list: string,
  problems: Problems,
): readonly GraphNode[] {
  return nodes.map((node, i) => {
    const type = findType(dialect, node.type);
    if (type === null && node.type !== "") {
      const message =
        dialect === "powabase"
          ? `Unknown block type: ${node.type.slice(0, 100)}`
          : `unknown node type ${shown(node.type)}`;
      problems.add(
        nodes.length === 1 && list.includes(".branches[") && !list.endsWith(".nodes")
          ? `${list}.type`
          : `${list}[${i}].type`,
        message,
      );
    }
    return { ...node, kind: type?.kind ?? "pass" };
  });
}

const ALIASES: Readonly<Record<string, string>> = { true: "if", false: "else" };

type Meaning = Pick<GraphEdge, "route" | "condition" | "onError">;

const ALWAYS: Meaning = { route: null, condition: null, onError: false };

/** An edge that says nothing: the usual route of a source that chooses; blocks of Powabase are always followed. */
function unlabelled(routes: Routes | null, isBlocks: boolean): Meaning {
  return { ...ALWAYS, route: isBlocks ? null : (routes?.fallback ?? null) };
}

/** An edge of a source that chooses: one of its routes, or a condition of its own. */
function labelled(written: string, { names }: Routes, isBlocks: boolean): Meaning {
  const wanted = isBlocks ? [ALIASES[written] ?? written, written] : [written];
  const route = wanted.find((name) => names.includes(name));
  if (route !== undefined) return { ...ALWAYS, route };
  return isBlocks ? { ...ALWAYS, route: written } : { ...ALWAYS, condition: written };
}

/** Which route of its source an edge asks for, which condition it has, or whether it is one for failures. */
function meaningOf(edge: GraphEdge, source: GraphNode | undefined, dialect: GraphDialect): Meaning {
  const routes = source === undefined ? null : (findType(dialect, source.type)?.routes?.(source, dialect) ?? null);
  const written = edge.condition ?? (routes === null ? null : edge.sourceHandle);
  const isBlocks = dialect === "powabase";
  if (written === null || written === "") return unlabelled(routes, isBlocks);
  if (written === "error") return { ...ALWAYS, onError: true };
  if (routes !== null) return labelled(written, routes, isBlocks);
  return { ...ALWAYS, condition: isBlocks && written === "source" ? null : written };
}

/** Settles what the conditions of edges mean; reports ends that are not in the graph. */
export function settleEdges({ dialect, nodes, edges, list }: RawGraph, problems: Problems): readonly GraphEdge[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return edges.map(({ path, ...edge }) => {
    const names = dialect === "powabase" ? (["source", "target"] as const) : (["from", "to"] as const);
    for (const [i, end] of [edge.from, edge.to].entries()) {
      if (end === "" || byId.has(end)) continue;
      problems.add(`${path}.${names[i]}`, `there is no ${list === "blocks" ? "block" : "node"} ${shown(end)}`);
    }
    return { ...edge, ...meaningOf(edge, byId.get(edge.from), dialect) };
  });
}
