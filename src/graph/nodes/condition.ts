import { isFields } from "../dialects/read.ts";
import { quoted } from "../names.ts";
import type { NodeView } from "../node-view.ts";
import { shown } from "../problems.ts";
import type { GraphNode } from "../types.ts";
import type { NodeType } from "./node-type.ts";

const listed = (config: GraphNode["config"], name: string): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(config[name]) ? (config[name] as readonly unknown[]).filter(isFields) : [];

/** True or false. */
export const condition: NodeType = {
  kind: "condition",
  names: { motte: ["condition"], solcognia: ["condition"], hatz: ["condition"] },
  routes: () => ({ names: ["true", "false"], fallback: "true" }),
  emit(node) {
    const found = node.required("condition", "expression");
    const test = found === undefined ? "null" : node.expression(found.key, found.value);
    return node.call("condition", `test: (s) => ${test}`);
  },
};

const handleOf = (one: Readonly<Record<string, unknown>>, i: number): string =>
  typeof one["handle"] === "string" && one["handle"] !== "" ? one["handle"] : `case_${i + 1}`;

function cases(node: NodeView): readonly string[] {
  const { conditions } = node.config;
  if (!Array.isArray(conditions) || conditions.length === 0) {
    node.problem("conditions", conditions === undefined ? "is required" : "must be an array that is not empty");
    return [];
  }
  return conditions.map((one: unknown, i) => {
    const key = `conditions[${i}]`;
    if (!isFields(one)) {
      node.problem(key, `must be an object, got ${shown(one)}`);
      return "";
    }
    return `{ when: (s) => ${node.expression(`${key}.expression`, one["expression"])}, route: ${quoted(handleOf(one, i))} }`;
  });
}

/** Takes the handle of the first condition that holds. */
export const conditional: NodeType = {
  kind: "switch",
  names: { solcognia: ["conditional"] },
  routes({ config }) {
    const names = listed(config, "conditions").map(handleOf);
    const usual = typeof config["default"] === "string" ? [config["default"]] : [];
    // An edge without a handle is that of the first condition.
    return { names: [...names, ...usual], fallback: names[0] ?? "true" };
  },
  emit(node) {
    const usual = node.text("default");
    const otherwise = usual === null ? "null" : quoted(usual);
    return node.call("choose", `shape: "matched"`, `cases: [${cases(node).join(", ")}]`, `otherwise: ${otherwise}`);
  },
};

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
