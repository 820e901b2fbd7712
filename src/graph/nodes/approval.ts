import { member, object } from "../node-view.ts";
import type { NodeType } from "./node-type.ts";
import { shapeOf } from "./shape.ts";

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
