import type { Problems } from "../problems.ts";
import type { Fields, Graph } from "../types.ts";
import { readEdges, readNodes, readSettings } from "./read.ts";
import { settleEdges, withKinds } from "./settle.ts";

/** Reads a graph: `{ blocks, edges, settings? }`. */
export function readPowabase(document: Fields, problems: Problems): Graph {
  const nodes = withKinds("powabase", readNodes(document["blocks"], "blocks", problems), "blocks", problems);
  const edges = readEdges(document["edges"], "edges", problems);
  return {
    dialect: "powabase",
    nodes,
    edges: settleEdges({ dialect: "powabase", nodes, edges, list: "blocks" }, problems),
    inputs: [],
    settings: readSettings(document["settings"] ?? { timeout: 600 }, problems),
  };
}
