import { isFields } from "../dialects/read.ts";
import { memberName, RESERVED, UNREACHABLE } from "../names.ts";
import type { NodeView } from "../node-view.ts";
import { shown } from "../problems.ts";
import type { NodeType } from "./node-type.ts";
import { shapeOf } from "./shape.ts";

function branchesOf(node: NodeView): readonly string[] {
  const { branches } = node.config;
  if (!Array.isArray(branches) || branches.length === 0) {
    node.problem("branches", branches === undefined ? "is required" : "must be an array that is not empty");
    return [];
  }
  const names = new Set<string>();
  return branches.map((raw: unknown, i) => {
    const key = `branches[${i}]`;
    if (typeof raw === "string") return ownedBranch(raw, key, node);
    if (!isFields(raw)) {
      node.problem(key, `must be an object or the id of a node, got ${shown(raw)}`);
      return "";
    }
    const id = typeof raw["id"] === "string" ? raw["id"] : "";
    if (id === "" || UNREACHABLE.has(id))
      node.problem(`${key}.id`, id === "" ? "is required" : `${shown(id)} is reserved`);
    if (names.has(id)) node.problem(`${key}.id`, `${shown(id)} is there twice`);
    names.add(id);
    return `${memberName(id)}: ${node.writing.part(node.writing.readPart(raw, node.at(key)), node.at(key))}`;
  });
}

/** A node of the graph that the parallel node runs. */
function ownedBranch(id: string, key: string, node: NodeView): string {
  const owned = node.writing.graph.nodes.find((one) => one.id === id);
  if (owned === undefined || owned === node.node || RESERVED.has(id)) {
    node.problem(key, `there is no other node ${shown(id)}`);
    return "";
  }
  const index = node.writing.graph.nodes.indexOf(owned);
  const written = node.writing.part({ nodes: [owned], edges: [] }, `nodes[${index}]`);
  return `${memberName(id)}: { ...${written}, owned: true }`;
}

/** Branches side by side. */
export const parallel: NodeType = {
  kind: "parallel",
  names: { motte: ["parallel"], solcognia: ["parallel"], hatz: ["parallel"] },
  emit(node) {
    const lenient = node.config["on_error"] === "continue";
    const branches = branchesOf(node);
    return node.call("parallel", shapeOf(node), `isLenient: ${lenient}`, `branches: { ${branches.join(", ")} }`);
  },
};
