import type { Problems } from "../problems.ts";
import type { Fields, Graph } from "../types.ts";
import { readEdges, readFields, readNodes, readSettings } from "./read.ts";
import { type RawGraph, settleEdges, withKinds } from "./settle.ts";

/** Reads a draft: `{ nodes, connections (or edges), settings }`; inputs are the fields of its input nodes. */
export function readSolcognia(document: Fields, problems: Problems): Graph {
  const isEdges = document["connections"] === undefined && document["edges"] !== undefined;
  const name = isEdges ? "edges" : "connections";
  const nodes = withKinds("solcognia", readNodes(document["nodes"], "nodes", problems), "nodes", problems);
  const raw: RawGraph = {
    dialect: "solcognia",
    nodes,
    edges: readEdges(document[name], name, problems),
    list: "nodes",
  };
  const inputs = nodes.flatMap((node, i) =>
    node.kind === "entry" ? readFields(node.config["fields"], `nodes[${i}].config.fields`, problems) : [],
  );
  return {
    dialect: "solcognia",
    nodes,
    edges: settleEdges(raw, problems),
    inputs,
    settings: readSettings(document["settings"], problems),
  };
}
