import { member, type NodeView, object } from "../node-view.ts";
import type { NodeType } from "./node-type.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

function methodOf(node: NodeView): string {
  const method = node.config["method"];
  if (node.dialect !== "powabase" && (method === undefined || method === null || method === "")) {
    node.problem("method", "is required");
    return `"GET"`;
  }
  const name = typeof method === "string" ? method.toUpperCase() : method === undefined ? "GET" : "";
  if (METHODS.includes(name)) return `"${name}"`;
  if (typeof method === "string" && /[{<]/.test(method)) return node.textTemplate("method", method);
  node.problem("method", `must be one of ${METHODS.join(", ")}`);
  return `"GET"`;
}

function requestOf(node: NodeView): string {
  const url = node.required("url");
  const unit = node.dialect === "powabase" ? 1 : 1_000;
  const timeout = node.number("timeout", { min: 0.001, max: 3_600_000 });
  const given = (name: string) =>
    node.config[name] === undefined || node.config[name] === null
      ? null
      : member(name, node.template(name, node.config[name]));
  return object(
    member("method", methodOf(node)),
    member("url", url === undefined ? `""` : node.textTemplate("url", url.value)),
    given("headers"),
    given("params"),
    given("body"),
    timeout === null ? null : member("timeout_ms", String(Math.ceil(timeout * unit))),
  );
}

/** A request to another service. */
export const http: NodeType = {
  kind: "http",
  names: {
    solcognia: ["http_request", "api_call"],
    motte: ["api_call"],
    powabase: ["general_api", "api_call"],
    hatz: ["http_request"],
  },
  emit(node) {
    const isBlock = node.dialect === "powabase";
    const fails = node.flag("fail_on_status", !isBlock);
    return node.call(
      "http",
      `shape: "${isBlock ? "output" : "data"}"`,
      `failOnStatus: ${fails}`,
      `request: (s) => (${requestOf(node)})`,
    );
  },
};
