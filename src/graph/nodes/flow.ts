import { isFields } from "../dialects/read.ts";
import { memberName, RESERVED, UNREACHABLE } from "../names.ts";
import { member, type NodeView, object } from "../node-view.ts";
import { shown } from "../problems.ts";
import type { NodeType } from "./node-type.ts";

const shapeOf = (node: NodeView): string => `shape: "${node.dialect === "powabase" ? "output" : "value"}"`;

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

/** Passes on what it gets to several branches. */
export const split: NodeType = {
  kind: "pass",
  names: { powabase: ["split"], motte: ["pass"], solcognia: ["pass"], hatz: ["pass"] },
  emit(node) {
    const input = node.first("input");
    const value = input === undefined ? null : `value: (s) => ${wrapped(node.template("input", input.value))}`;
    return node.call("pass", shapeOf(node), value);
  },
};

const wrapped = (code: string): string => (code.startsWith("{") ? `(${code})` : code);

/** Asks a person. */
export const approval: NodeType = {
  kind: "approval",
  names: { solcognia: ["approval"], motte: ["approval"], powabase: ["approval"], hatz: ["approval"] },
  routes: () => ({ names: ["approved", "rejected"], fallback: "approved" }),
  emit(node) {
    const title = node.required("title");
    const body = node.first("description", "body");
    const question = object(
      member("title", title === undefined ? `""` : node.textTemplate("title", title.value)),
      body === undefined ? null : member("description", node.textTemplate(body.key, body.value)),
      node.config["schema"] === undefined ? null : member("schema", node.template("schema", node.config["schema"])),
      node.first("expires") === undefined ? null : member("timeout", node.template("expires", node.config["expires"])),
    );
    return node.call("approve", shapeOf(node), `question: (s) => (${question})`);
  },
};

/** Waits. */
export const delay: NodeType = {
  kind: "delay",
  names: { solcognia: ["delay"], motte: ["delay"], powabase: ["delay", "wait"], hatz: ["delay"] },
  emit(node) {
    const found = node.required("duration");
    const duration = found === undefined ? "0" : node.template("duration", found.value);
    return node.call("delay", shapeOf(node), `duration: (s) => ${duration}`);
  },
};
