import { agentCall } from "./agent-call.ts";
import type { NodeType } from "./node-type.ts";

/** An agent of the API. */
export const agent: NodeType = {
  kind: "agent",
  names: { solcognia: ["agent"], motte: ["agent"], hatz: ["agent"] },
  emit(node) {
    node.required("agent");
    return agentCall(node, "agent");
  },
};
