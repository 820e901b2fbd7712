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

/** True for what Dify exports: an app with a workflow's graph. */
export function isDify(document: unknown): boolean {
  return memberOf(document, "kind") === "app" || isFields(memberOf(document, "workflow", "graph"));
}

interface Reading {
  readonly ids: Ids;
  readonly starts: ReadonlySet<string>;
  readonly unmapped: Unmapped[];
}

type Mapped = { readonly type: string; readonly config: Fields } | string;
type Mapping = (data: Fields, reading: Reading) => Mapped;

/** What the answer of a node is called in its value here. */
const MEMBERS: Readonly<Record<string, string>> = { text: "response", body: "data", status_code: "status" };

/** A reference by its path, as an expression. */
function reference(path: readonly string[], { ids, starts }: Reading): string {
  const [node = "", ...rest] = path;
  if (node === "sys") return rest[0] === "query" ? "input.query" : `context.${rest.join(".")}`;
  if (starts.has(node)) return ["input", ...rest].join(".");
  const [first, ...more] = rest;
  if (first === "output" || first === "result") return [ids.of(node), ...more].join(".");
  return [ids.of(node), ...(first === undefined ? [] : [MEMBERS[first] ?? first]), ...more].join(".");
}

/** `{{#node.name#}}` as a template. */
const template = (text: string, reading: Reading): string =>
  text.replaceAll(/\{\{#([^#{}]+)#\}\}/g, (_all, path: string) => `{{${reference(path.split("."), reading)}}}`);

const selector = (value: unknown, reading: Reading): string =>
  reference(Array.isArray(value) ? value.map(String) : [], reading);

const llm: Mapping = (data, reading) => {
  const raw = data["prompt_template"];
  const rows = isFields(raw) ? [raw] : listOf(raw);
  const messages = rows
    .map((row) => ({ role: textOf(row["role"]) || "user", content: template(textOf(row["text"]), reading) }))
    .filter(({ content }) => content !== "");
  if (messages.length === 0) return "it has no prompt";
  const parameters = memberOf(data, "model", "completion_params");
  const { temperature, max_tokens } = isFields(parameters) ? parameters : {};
  return {
    type: "ai_model",
    config: {
      model: textOf(memberOf(data, "model", "name")) || "gpt-4o-mini",
      messages,
      ...(typeof temperature === "number" ? { temperature } : {}),
      ...(typeof max_tokens === "number" ? { max_tokens } : {}),
    },
  };
};

const code: Mapping = (data, reading) => {
  const language = textOf(data["code_language"]);
  if (language !== "javascript") return `its code is ${language || "of no language"}, which is not run here`;
  const names = listOf(data["variables"]).map(
    (row) => [textOf(row["variable"]), selector(row["value_selector"], reading)] as const,
  );
  const args = names.map(([name, path]) => `${JSON.stringify(name)}: ${scriptPath(path)}`).join(", ");
  return {
    type: "processing",
    config: { operation: "script", script: `${textOf(data["code"])}\nreturn main({ ${args} });` },
  };
};

/** A reference as a script reads it. */
function scriptPath(path: string): string {
  const [root = "", ...rest] = path.split(".");
  const members = rest.map((name) => `?.[${JSON.stringify(name)}]`).join("");
  return root === "input" || root === "context" ? `${root}${members}` : `nodes[${JSON.stringify(root)}]${members}`;
}

const SIGNS: Readonly<Record<string, string>> = {
  is: "==",
  "is not": "!=",
  "=": "==",
  "≠": "!=",
  ">": ">",
  "<": "<",
  "≥": ">=",
  "≤": "<=",
  contains: "contains",
};

function condition(row: Fields, reading: Reading): string | null {
  const left = selector(row["variable_selector"], reading);
  const operator = textOf(row["comparison_operator"]);
  if (operator === "empty") return `not ${left}`;
  if (operator === "not empty") return left;
  if (operator === "not contains") return `not (${left} contains ${JSON.stringify(row["value"] ?? "")})`;
  const sign = SIGNS[operator];
  return sign === undefined ? null : `${left} ${sign} ${JSON.stringify(row["value"] ?? "")}`;
}

const branch: Mapping = (data, reading) => {
  const cases = listOf(data["cases"]);
  const rows =
    cases.length > 0
      ? cases
      : [{ case_id: "true", conditions: data["conditions"], logical_operator: data["logical_operator"] }];
  const conditions = rows.map((row) => {
    const found = listOf(row["conditions"]).map((one) => condition(one, reading));
    const joint = row["logical_operator"] === "or" ? " or " : " and ";
    const expression = found.length === 0 || found.includes(null) ? null : found.map((one) => `(${one})`).join(joint);
    return { expression, handle: textOf(row["case_id"]) || "true" };
  });
  if (conditions.some(({ expression }) => expression === null))
    return "its conditions use operations that have no counterpart";
  return { type: "conditional", config: { conditions, default: "false" } };
};

const http: Mapping = (data, reading) => {
  const lines = (value: unknown) =>
    Object.fromEntries(
      textOf(value)
        .split("\n")
        .map(
          (line) =>
            [
              line.slice(0, line.indexOf(":")).trim(),
              template(line.slice(line.indexOf(":") + 1).trim(), reading),
            ] as const,
        )
        .filter(([name]) => name !== ""),
    );
  const body = memberOf(data, "body", "data");
  const text = typeof body === "string" ? body : textOf(memberOf(body, 0, "value"));
  const config = {
    method: (textOf(data["method"]) || "get").toUpperCase(),
    url: template(textOf(data["url"]), reading),
  };
  return {
    type: "http_request",
    config: {
      ...config,
      headers: lines(data["headers"]),
      params: lines(data["params"]),
      ...(text === "" ? {} : { body: template(text, reading) }),
    },
  };
};

const MAPPINGS: Readonly<Record<string, Mapping>> = {
  llm,
  code,
  "if-else": branch,
  "http-request": http,
  "template-transform": (data, reading) => {
    const text = textOf(data["template"]);
    if (/\{%/.test(text)) return "its template has statements, which templates here do not have";
    const names = new Map(
      listOf(data["variables"]).map((row) => [textOf(row["variable"]), selector(row["value_selector"], reading)]),
    );
    const said = text.replaceAll(/\{\{\s*([\w.]+)\s*\}\}/g, (_all, path: string) => {
      const [name = "", ...rest] = path.split(".");
      return `{{${[names.get(name) ?? name, ...rest].join(".")}}}`;
    });
    return { type: "processing", config: { operation: "template", template: said } };
  },
  "knowledge-retrieval": (data, reading) => ({
    type: "memory_query",
    config: {
      query: `{{${selector(data["query_variable_selector"], reading)}}}`,
      limit: Number(memberOf(data, "multiple_retrieval_config", "top_k") ?? 5),
    },
  }),
  "variable-aggregator": () => ({ type: "pass", config: {} }),
  answer: (data, reading) => ({
    type: "output",
    config: { format: "text", template: template(textOf(data["answer"]), reading) },
  }),
  end: (data, reading) => ({
    type: "output",
    config: {
      format: "json",
      template: Object.fromEntries(
        listOf(data["outputs"]).map((row) => [
          textOf(row["variable"]),
          `{{${selector(row["value_selector"], reading)}}}`,
        ]),
      ),
    },
  }),
};

const FIELD_TYPES: Readonly<Record<string, string>> = {
  number: "number",
  select: "select",
  file: "file",
  paragraph: "text",
};

function inputNode(starts: readonly Fields[], isChat: boolean): Fields {
  const fields = starts
    .flatMap((node) => listOf(memberOf(node, "data", "variables")))
    .map((row) => ({
      name: textOf(row["variable"]),
      label: textOf(row["label"]),
      type: FIELD_TYPES[textOf(row["type"])] ?? "text",
      required: row["required"] === true,
      ...(Array.isArray(row["options"]) && row["options"].length > 0 ? { options: row["options"] } : {}),
    }));
  const query = isChat ? [{ name: "query", label: "Message", type: "text", required: true }] : [];
  return { id: "input", type: "input", config: { fields: [...query, ...fields] } };
}

/** Reads an export of Dify. */
export function fromDify(document: Fields): Imported {
  const graph = memberOf(document, "workflow", "graph") ?? memberOf(document, "graph");
  const nodes = listOf(memberOf(graph, "nodes")).filter((node) => isFields(node["data"]));
  if (nodes.length === 0)
    throw new ImportError("the export has no workflow with nodes (chat apps without one are not taken over)");
  const typeOf = (node: Fields) => textOf(memberOf(node, "data", "type"));
  const starts = nodes.filter((node) => typeOf(node) === "start");
  const taken = nodes.filter((node) => typeOf(node) !== "start" && typeOf(node) !== "");
  const reading: Reading = { ids: new Ids(), starts: new Set(starts.map(({ id }) => textOf(id))), unmapped: [] };
  for (const node of taken)
    reading.ids.of(textOf(node["id"]), textOf(memberOf(node, "data", "title")) || textOf(node["id"]));
  const made = taken.map((node) => {
    const data = node["data"] as Fields;
    const mapping = Object.hasOwn(MAPPINGS, typeOf(node)) ? MAPPINGS[typeOf(node)] : undefined;
    const mapped = mapping === undefined ? "there is no node of this kind here" : mapping(data, reading);
    const name = textOf(data["title"]) || textOf(node["id"]);
    const shape = { id: reading.ids.of(textOf(node["id"])), name, ...positionOf(node["position"]) };
    if (typeof mapped !== "string") return { ...shape, ...mapped };
    reading.unmapped.push({ node: name, type: typeOf(node), why: `${mapped}; it passes on what it gets` });
    return { ...shape, type: "pass", config: {} };
  });
  const known = new Set(taken.map(({ id }) => textOf(id)));
  const branches = new Set(taken.filter((node) => typeOf(node) === "if-else").map(({ id }) => textOf(id)));
  const connections = listOf(memberOf(graph, "edges"))
    .filter(
      (edge) =>
        known.has(textOf(edge["target"])) &&
        (known.has(textOf(edge["source"])) || reading.starts.has(textOf(edge["source"]))),
    )
    .map((edge) => {
      const source = textOf(edge["source"]);
      const ends = {
        from: reading.starts.has(source) ? "input" : reading.ids.of(source),
        to: reading.ids.of(textOf(edge["target"])),
      };
      return branches.has(source) ? { ...ends, condition: textOf(edge["sourceHandle"]) || "true" } : ends;
    });
  const isChat = memberOf(document, "app", "mode") === "advanced-chat";
  return {
    name: textOf(memberOf(document, "app", "name")) || "Imported from Dify",
    description: textOf(memberOf(document, "app", "description")) || "Imported from Dify.",
    document: { nodes: [inputNode(starts, isChat), ...made], connections, settings: {} },
    unmapped: reading.unmapped,
  };
}
