import type { Problems } from "../problems.ts";
import type { Fields, Graph, GraphEdge } from "../types.ts";
import { isFields, listOf, readFields, readSettings } from "./read.ts";
import { settleEdges, withKinds } from "./settle.ts";

const sections = (step: Fields): string => {
  const parts = Array.isArray(step["prompt_sections"]) ? step["prompt_sections"].filter(isFields) : [];
  const place = (part: Fields) => (typeof part["position"] === "number" ? part["position"] : 0);
  return parts
    .toSorted((a, b) => place(a) - place(b))
    .map((part) => (typeof part["body"] === "string" ? part["body"] : ""))
    .join("\n");
};

/** Reads an app: `{ user_inputs, steps, dependencies }`; without dependencies its steps follow each other. */
export function readHatz(document: Fields, problems: Problems): Graph {
  const steps = listOf(document["steps"], "steps", 500, problems);
  const raw = steps.map((step, i) => {
    const config = isFields(step["config"]) ? step["config"] : {};
    const id = typeof step["id"] === "string" ? step["id"] : "";
    if (id === "") problems.add(`steps[${i}].id`, "is required");
    return {
      id,
      type: typeof step["step_type"] === "string" ? step["step_type"] : "prompt",
      name: typeof step["display_name"] === "string" ? step["display_name"] : null,
      position: null,
      enabled: true,
      config: { ...config, ...(step["prompt_sections"] === undefined ? {} : { prompt: sections(step) }) },
    };
  });
  const nodes = withKinds("hatz", raw, "steps", problems);
  const edge = (from: string, to: string, i: number): GraphEdge & { path: string } => ({
    ...{ path: `dependencies[${i}]`, id: `edge_${i + 1}`, from, to, route: null, condition: null, label: null },
    ...{ onError: false, sourceHandle: null, targetHandle: null },
  });
  const asked = listOf(document["dependencies"], "dependencies", 2_000, problems).flatMap((one, i) => {
    const before = Array.isArray(one["depends_on"]) ? one["depends_on"] : [];
    return before.map((from) => edge(String(from), String(one["step_id"] ?? ""), i));
  });
  const chain = nodes.slice(1).map((node, i) => edge(nodes[i]?.id ?? "", node.id, i));
  return {
    dialect: "hatz",
    nodes,
    edges: settleEdges({ dialect: "hatz", nodes, edges: asked.length === 0 ? chain : asked, list: "steps" }, problems),
    inputs: readFields(document["user_inputs"], "user_inputs", problems),
    settings: readSettings(document["settings"], problems),
  };
}
