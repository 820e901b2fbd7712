import { isFields } from "../dialects/read.ts";
import { member, object } from "../node-view.ts";
import type { NodeType } from "./node-type.ts";

/** Where a run begins. */
export const input: NodeType = {
  kind: "entry",
  names: { solcognia: ["input"], motte: ["input"], hatz: ["input"] },
  emit: (node) => node.call("entry", `shape: "value"`),
};

/** Where a run of a Powabase graph begins: the variables, over its own defaults. */
export const starter: NodeType = {
  kind: "entry",
  names: { powabase: ["starter"] },
  emit(node) {
    const defaults = node.config["input"];
    if (defaults !== undefined && defaults !== null && !isFields(defaults) && typeof defaults !== "string")
      node.problem("input", "must be an object");
    return node.call(
      "entry",
      `shape: "output"`,
      isFields(defaults) ? member("defaults", JSON.stringify(defaults)) : null,
    );
  },
};

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

/** What a run answers. */
export const output: NodeType = {
  kind: "output",
  names: { solcognia: ["output"], motte: ["output"], hatz: ["output"] },
  emit(node) {
    const format = node.oneOf("format", ["json", "text", "markdown"], "json");
    const found = node.first("template", "value");
    if (found === undefined) {
      node.use("gathered");
      return node.call("output", "render: (s) => gathered(s.upstream)");
    }
    const code = format === "json" ? node.template(found.key, found.value) : node.textTemplate(found.key, found.value);
    return node.call("output", `render: (s) => ${code.startsWith("{") ? `(${code})` : code}`);
  },
};

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
