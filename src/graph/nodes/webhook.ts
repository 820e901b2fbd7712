import type { NodeType } from "./node-type.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Where a call of a webhook begins. */
export const webhook: NodeType = {
  kind: "entry",
  names: { powabase: ["webhook"] },
  emit(node) {
    const { webhook_id: id, webhook_secret: secret } = node.config;
    const isId = id === undefined || id === null || id === "" || (typeof id === "string" && UUID.test(id));
    if (!isId) node.problem("webhook_id", "must be a UUID");
    if (secret !== undefined && secret !== null && typeof secret !== "string")
      node.problem("webhook_secret", "must be a string");
    node.flag("single_use", true);
    return node.call("entry", `shape: "output"`);
  },
};
