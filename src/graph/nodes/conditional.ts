import { isFields } from "../dialects/read.ts";
import { quoted } from "../names.ts";
import type { NodeView } from "../node-view.ts";
import { shown } from "../problems.ts";
import { listed } from "./listed.ts";
import type { NodeType } from "./node-type.ts";

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
