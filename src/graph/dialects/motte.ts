import type { Problems } from "../problems.ts";
import type { Fields, Graph } from "../types.ts";
import { readEdges, readFields, readNodes, readSettings } from "./read.ts";
import { settleEdges, withKinds } from "./settle.ts";

/** Reads a workflow: `{ nodes, edges, settings }`. */
export function readMotte(document: Fields, problems: Problems): Graph {
  const nodes = withKinds("motte", readNodes(document["nodes"], "nodes", problems), "nodes", problems);
  const edges = readEdges(document["edges"], "edges", problems);
  return {
    dialect: "motte",
    nodes,
    edges: settleEdges({ dialect: "motte", nodes, edges, list: "nodes" }, problems),
    inputs: readFields(document["inputs"], "inputs", problems),
    settings: readSettings(document["settings"], problems),
  };
}
