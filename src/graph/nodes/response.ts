import { object } from "../node-view.ts";
import type { NodeType } from "./node-type.ts";

/** The answer of a Powabase graph. */
export const response: NodeType = {
  kind: "output",
  names: { powabase: ["response"] },
  emit(node) {
    const found = node.first("output");
    if (found === undefined) node.use("gathered");
    const passed = 'gathered(s.upstream, "output")';
    const answer = found === undefined ? passed : node.template("output", found.value);
    const status = node.first("status")?.value ?? "200";
    const headers = node.first("headers");
    const value = object(
      `output: ${answer}`,
      `status: ${node.template("status", String(status))}`,
      `headers: ${headers === undefined ? "{}" : node.template("headers", headers.value)}`,
    );
    return node.call("output", `render: (s) => (${value})`);
  },
};
