import type { Problems } from "../problems.ts";
import type { Fields, GraphDialect, GraphPart } from "../types.ts";
import { checkPart } from "../validate.ts";
import { readEdges, readNode, readNodes } from "./read.ts";
import { settleEdges, withKinds } from "./settle.ts";

/** Reads a branch of a node: nodes and edges of its own, or one node. */
export function readPart(raw: Fields, at: string, dialect: GraphDialect, problems: Problems): GraphPart {
  if (raw["nodes"] === undefined) {
    const read = [readNode(raw, at, problems)];
    return { nodes: withKinds(dialect, read, at, problems), edges: [] };
  }
  const nodes = withKinds(dialect, readNodes(raw["nodes"], `${at}.nodes`, problems), `${at}.nodes`, problems);
  const edges = readEdges(raw["edges"] ?? raw["connections"], `${at}.edges`, problems);
  const part = { nodes, edges: settleEdges({ dialect, nodes, edges, list: "nodes" }, problems) };
  checkPart(part, { nodes: `${at}.nodes`, edges: `${at}.edges` }, problems);
  return part;
}
