import { quoted } from "../names.ts";
import type { GraphNode } from "../types.ts";
import { listed } from "./listed.ts";
import type { NodeType } from "./node-type.ts";

interface Case {
  readonly key: string;
  readonly expression: unknown;
  readonly route: string;
}

/** The cases of a block: branches, a mode with one expression, or a switch. */
function blockCases(config: GraphNode["config"]): readonly Case[] {
  if (config["mode"] === "switch") {
    return listed(config, "cases").map((one, i) => ({
      key: `cases[${i}].expression`,
      expression: one["expression"] ?? one["condition"],
      route:
        typeof one["route"] === "string"
          ? one["route"]
          : typeof one["name"] === "string"
            ? one["name"]
            : `case_${i + 1}`,
    }));
  }
  const branches = listed(config, "branches").filter((one) => one["type"] !== "else");
  if (branches.length === 0)
    return [{ key: "expression", expression: config["expression"] ?? config["condition"], route: "if" }];
  return branches.map((one, i) => ({
    key: `branches[${i}].expression`,
    expression: one["expression"] ?? one["condition"],
    route: i === 0 ? "if" : `elif_${i}`,
  }));
}

/** The first branch that is true; an expression that cannot be evaluated is false. */
export const blockCondition: NodeType = {
  kind: "switch",
  names: { powabase: ["condition"] },
  routes: ({ config }) => ({ names: [...blockCases(config).map(({ route }) => route), "else"], fallback: null }),
  emit(node) {
    node.use("safely");
    const written = blockCases(node.config).map(({ key, expression, route }) => {
      const test = node.expression(key, expression);
      return `{ when: (s) => safely(() => ${test}), route: ${quoted(route)} }`;
    });
    return node.call("choose", `shape: "route"`, `cases: [${written.join(", ")}]`, `otherwise: "else"`);
  },
};
