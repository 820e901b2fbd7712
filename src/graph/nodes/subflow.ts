import type { NodeView } from "../node-view.ts";
import type { NodeType } from "./node-type.ts";
import { asBody, shapeOf } from "./shape.ts";

/** A call of the workflow that the member `key` names. */
export function called(
  node: NodeView,
  key: string,
  input: { readonly key: string; readonly value: unknown } | undefined,
): string {
  const ref = node.required(key);
  const target = ref === undefined ? `""` : node.textTemplate(key, ref.value);
  const value = input === undefined ? "s.input" : node.template(input.key, input.value);
  return node.call("subflow", shapeOf(node), `workflow: (s) => ${target}`, `input: (s) => ${asBody(value)}`);
}

/** Another workflow. */
export const subflow: NodeType = {
  kind: "subflow",
  names: { motte: ["workflow"], solcognia: ["workflow"], hatz: ["workflow"], powabase: ["orchestration", "workflow"] },
  emit(node) {
    const key =
      node.dialect === "powabase" && node.first("orchestration_id") !== undefined ? "orchestration_id" : "workflow";
    return called(node, key, node.first("input", "inputs", "message"));
  },
};
