import type { Fields } from "../types.ts";
import {
  Ids,
  ImportError,
  type Imported,
  isFields,
  listOf,
  memberOf,
  positionOf,
  textOf,
  type Unmapped,
} from "./imported.ts";

/** True for what Flowise exports: nodes with `data.name` and `data.inputs`, edges with handles. */
export function isFlowise(document: unknown): boolean {
  const nodes = listOf(memberOf(document, "nodes"));
  return Array.isArray(memberOf(document, "edges")) && nodes.some((node) => isFields(memberOf(node, "data", "inputs")));
}

interface Reading {
  readonly ids: Ids;
  readonly unmapped: Unmapped[];
}

type Mapped = { readonly type: string; readonly config: Fields } | string;
type Mapping = (inputs: Fields, reading: Reading) => Mapped;

/** Text of an editor: HTML becomes plain, mentions become references. */
function plain(value: unknown, { ids }: Reading): string {
  return textOf(value)
    .replaceAll(/<\/(?:p|div|li|h\d)>|<br\s*\/?>/g, "\n")
    .replaceAll(/<[^<>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")
    .replaceAll(/\{\{\s*question\s*\}\}/g, "{{input.question}}")
    .replaceAll(/\{\{\s*\$form\.([\w.]+)\s*\}\}/g, "{{input.$1}}")
    .replaceAll(/\{\{\s*\$flow\.state\.([\w.]+)\s*\}\}/g, "{{context.$1}}")
    .replaceAll(/\{\{\s*([A-Za-z][\w-]*_\d+)(?:\.output\.content)?\s*\}\}/g, (whole, id: string) =>
      ids.has(id) ? `{{${ids.of(id)}}}` : whole,
    )
    .trim();
}

function modelOf(inputs: Fields): string {
  const config = [inputs["llmModelConfig"], inputs["agentModelConfig"], inputs["conditionAgentModelConfig"]].find(
    isFields,
  );
  return textOf(config?.["modelName"]) || "gpt-4o-mini";
}

const llm =
  (prefix: string): Mapping =>
  (inputs, reading) => {
    const rows = listOf(inputs[`${prefix}Messages`]).map((row) => ({
      role: textOf(row["role"]) === "developer" ? "system" : textOf(row["role"]) || "user",
      content: plain(row["content"], reading),
    }));
    const asked = plain(inputs[`${prefix}UserMessage`], reading);
    const messages = [
      ...rows.filter(({ content }) => content !== ""),
      { role: "user", content: asked === "" ? "{{input.question}}" : asked },
    ];
    return { type: "ai_model", config: { model: modelOf(inputs), messages } };
  };

const SIGNS: Readonly<Record<string, string>> = {
  equal: "==",
  notEqual: "!=",
  larger: ">",
  largerEqual: ">=",
  smaller: "<",
  smallerEqual: "<=",
  contains: "contains",
};

/** A side of a comparison: a reference as it is, else a text. */
function operand(value: unknown, reading: Reading): string {
  const said = plain(value, reading);
  return /^\{\{([^{}]*)\}\}$/.exec(said)?.[1] ?? JSON.stringify(said);
}

const condition: Mapping = (inputs, reading) => {
  const rows = listOf(inputs["conditions"]);
  const found = rows.map((row, i) => {
    const sign = SIGNS[textOf(row["operation"])];
    const expression =
      sign === undefined ? null : `${operand(row["value1"], reading)} ${sign} ${operand(row["value2"], reading)}`;
    return { expression, handle: `output_${i}` };
  });
  if (found.length === 0 || found.some(({ expression }) => expression === null))
    return "its conditions use operations that have no counterpart";
  return { type: "conditional", config: { conditions: found, default: `output_${found.length}` } };
};

function pairs(value: unknown, reading: Reading): Fields {
  return Object.fromEntries(listOf(value).map((row) => [textOf(row["key"]), plain(row["value"], reading)]));
}

const http: Mapping = (inputs, reading) => {
  const body = plain(inputs["body"], reading);
  return {
    type: "http_request",
    config: {
      method: textOf(inputs["method"]) || "GET",
      url: plain(inputs["url"], reading),
      headers: pairs(inputs["headers"], reading),
      params: pairs(inputs["queryParams"], reading),
      ...(body === "" ? {} : { body }),
    },
  };
};

const code: Mapping = (inputs, reading) => {
  const script = textOf(inputs["customFunctionJavascriptFunction"]);
  if (script === "") return "it has no code";
  const used = /\$(?:flow|vars|tool)\b|\brequire\s*\(/.exec(script)?.[0];
  if (used !== undefined) return `its code uses ${used}, which only Flowise has`;
  const names = listOf(inputs["customFunctionInputVariables"]).map((row) => {
    const path = operand(row["variableValue"], reading);
    return `const $${textOf(row["variableName"])} = ${path.startsWith('"') ? path : scriptPath(path)};`;
  });
  return { type: "processing", config: { operation: "script", script: [...names, script].join("\n") } };
};

function scriptPath(path: string): string {
  const [root = "", ...rest] = path.split(".");
  const members = rest.map((name) => `?.[${JSON.stringify(name)}]`).join("");
  return root === "input" || root === "context" ? `${root}${members}` : `nodes[${JSON.stringify(root)}]${members}`;
}

const MAPPINGS: Readonly<Record<string, Mapping>> = {
  llmAgentflow: llm("llm"),
  agentAgentflow: llm("agent"),
  conditionAgentflow: condition,
  httpAgentflow: http,
  customFunctionAgentflow: code,
  directReplyAgentflow: (inputs, reading) => ({
    type: "output",
    config: { format: "text", template: plain(inputs["directReplyMessage"], reading) },
  }),
  retrieverAgentflow: (inputs, reading) => ({
    type: "memory_query",
    config: { query: plain(inputs["retrieverQuery"], reading) || "{{input.question}}" },
  }),
  humanInputAgentflow: (inputs, reading) => ({
    type: "approval",
    config: { title: plain(inputs["humanInputDescription"], reading).slice(0, 200) || "Go on?" },
  }),
};

/** Notes beside what maps but not wholly. */
const PARTLY: Readonly<Record<string, string>> = {
  agentAgentflow: "its tools and memory are not taken over: it is one call of a model",
  retrieverAgentflow: "its stores are not taken over: it looks in the datastore memory",
};

function handleOf(name: string, edge: Fields): Fields {
  const output = /-output-(\d+)$/.exec(textOf(edge["sourceHandle"]))?.[1];
  if (output === undefined) return {};
  if (name === "conditionAgentflow") return { condition: `output_${output}` };
  return name === "humanInputAgentflow" ? { condition: output === "0" ? "approved" : "rejected" } : {};
}

/** Reads an export of Flowise (an agentflow). */
export function fromFlowise(document: Fields): Imported {
  const nodes = listOf(document["nodes"]).filter((node) => isFields(node["data"]));
  const nameOf = (node: Fields | undefined) => textOf(memberOf(node, "data", "name"));
  const isFlow = nodes.some((node) => nameOf(node).endsWith("Agentflow"));
  if (!isFlow)
    throw new ImportError("only agentflows are taken over: the nodes of this export are parts of one chain, not steps");
  const byId = new Map(nodes.map((node) => [textOf(node["id"]), node]));
  const taken = nodes.filter((node) => nameOf(node) !== "startAgentflow" && nameOf(node) !== "stickyNoteAgentflow");
  const reading: Reading = { ids: new Ids(), unmapped: [] };
  for (const node of taken)
    reading.ids.of(textOf(node["id"]), textOf(memberOf(node, "data", "label")) || textOf(node["id"]));
  const made = taken.map((node) => {
    const inputs = memberOf(node, "data", "inputs");
    const type = nameOf(node);
    const name = textOf(memberOf(node, "data", "label")) || textOf(node["id"]);
    const mapping = Object.hasOwn(MAPPINGS, type) ? MAPPINGS[type] : undefined;
    const mapped =
      mapping === undefined ? "there is no node of this kind here" : mapping(isFields(inputs) ? inputs : {}, reading);
    const shape = { id: reading.ids.of(textOf(node["id"])), name, ...positionOf(node["position"]) };
    const note = PARTLY[type];
    if (note !== undefined) reading.unmapped.push({ node: name, type, why: note });
    if (typeof mapped !== "string") return { ...shape, ...mapped };
    reading.unmapped.push({ node: name, type, why: `${mapped}; it passes on what it gets` });
    return { ...shape, type: "pass", config: {} };
  });
  const isStart = (id: string) => nameOf(byId.get(id)) === "startAgentflow";
  const known = new Set(taken.map(({ id }) => textOf(id)));
  const connections = listOf(document["edges"])
    .map((edge) => ({ edge, source: textOf(edge["source"]), target: textOf(edge["target"]) }))
    .filter(({ source, target }) => known.has(target) && (known.has(source) || isStart(source)))
    .map(({ edge, source, target }) => ({
      from: isStart(source) ? "input" : reading.ids.of(source),
      to: reading.ids.of(target),
      ...handleOf(nameOf(byId.get(source)), edge),
    }));
  const input = {
    id: "input",
    type: "input",
    config: { fields: [{ name: "question", type: "text", label: "Message", required: true }] },
  };
  return {
    name: textOf(document["name"]) || "Imported from Flowise",
    description: "Imported from Flowise.",
    document: { nodes: [input, ...made], connections, settings: {} },
    unmapped: reading.unmapped,
  };
}
