import { readPart } from "./dialects/part.ts";
import { ExpressionError, writeExpression } from "./expressions.ts";
import { memberName, quoted } from "./names.ts";
import { NodeView, type Writing } from "./node-view.ts";
import { findType } from "./nodes/index.ts";
import { ownedIds } from "./owned.ts";
import type { Problems } from "./problems.ts";
import { rulesOf } from "./rules.ts";
import type { Graph, GraphEdge, GraphPart, InputField } from "./types.ts";

/** A graph as files of a script. */
export interface WrittenGraph {
  readonly main: string;
  /** Authors' scripts: path → text. */
  readonly files: ReadonlyMap<string, string>;
  /** Path of such a file → its place in the document. */
  readonly places: ReadonlyMap<string, string>;
  readonly datastores: ReadonlySet<string>;
}

const LISTS = { solcognia: "nodes", motte: "nodes", powabase: "blocks", hatz: "steps" } as const;
const RESULTS = { solcognia: "output", motte: "nodes", powabase: "response", hatz: "last" } as const;

function writeEdge(edge: GraphEdge, path: string, writing: Writing): string {
  const members = [`from: ${quoted(edge.from)}`, `to: ${quoted(edge.to)}`];
  if (edge.onError) members.push("onError: true");
  if (edge.route !== null) members.push(`route: ${quoted(edge.route)}`);
  if (edge.condition !== null) members.push(`when: (s) => ${writeCondition(edge.condition, path, writing)}`);
  return `{ ${members.join(", ")} }`;
}

function writeCondition(condition: string, path: string, { rules, problems, used }: Writing): string {
  const text = rules.bare?.(condition) ?? condition;
  try {
    const written = writeExpression(text.replace(/^\s*\{\{([\s\S]*)\}\}\s*$/, "$1"), rules);
    for (const helper of written.used) used.add(helper);
    if (!rules.isLoose) return written.code;
    used.add("safely");
    return `safely(() => ${written.code})`;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    problems.add(`${path}.condition`, error.message);
    return "false";
  }
}

/** Nodes that others run are left out, and edges from them are edges of those. */
function withoutOwned(part: GraphPart): { readonly nodes: GraphPart["nodes"]; readonly edges: readonly GraphEdge[] } {
  const owned = ownedIds(part);
  if (owned.size === 0) return part;
  const edges = part.edges.flatMap((edge) => {
    if (owned.has(edge.to)) return [];
    const owner = owned.get(edge.from);
    if (owner === undefined) return [edge];
    return owner === edge.to ? [] : [{ ...edge, from: owner, route: null }];
  });
  return { nodes: part.nodes.filter(({ id }) => !owned.has(id)), edges };
}

function edgesPath(path: string): string {
  return path === "" ? "edges" : `${path}.edges`;
}

/** Writes the nodes and edges of a part. `pathOf`: where a node is in the document. */
function writePart(
  part: GraphPart,
  writing: Writing,
  pathOf: (id: string) => string,
  edgesAt: string,
): readonly string[] {
  const { nodes, edges } = withoutOwned(part);
  const inner = { ...writing, rules: rulesOf(writing.graph, part) };
  const lines = nodes.map((node) => {
    const type = findType(writing.graph.dialect, node.type);
    const before = [...new Set(edges.filter(({ to }) => to === node.id).map(({ from }) => from))];
    const code = type === null ? "null" : type.emit(new NodeView(node, pathOf(node.id), inner, before));
    return `    ${memberName(node.id)}: ${code},`;
  });
  const index = new Map(part.edges.map((edge, i) => [edge.id, i]));
  const links = edges.map((edge) => `    ${writeEdge(edge, `${edgesAt}[${index.get(edge.id) ?? 0}]`, inner)},`);
  return [
    "  nodes: {",
    ...lines,
    "  },",
    links.length === 0 ? "  edges: []," : ["  edges: [", ...links, "  ],"].join("\n"),
  ];
}

const TYPES: Readonly<Record<InputField["type"], object>> = {
  text: { type: "string" },
  number: { type: "number" },
  boolean: { type: "boolean" },
  select: {},
  file: { type: "string" },
  json: {},
};

/** The input that a text alone is: of calls with messages, for example. */
function textInput(inputs: readonly InputField[]): InputField | undefined {
  const texts = inputs.filter(({ type }) => type === "text");
  return texts.find(({ required }) => required) ?? texts[0];
}

/** JSON Schema of the inputs; fields that have a default may be left out. */
export function schemaOf(inputs: readonly InputField[]): object {
  const properties = inputs.map((field) => {
    const { name, type, label, description, options } = field;
    const isEmptyAllowed = !field.required || field.default !== undefined;
    const base = {
      ...TYPES[type],
      ...(options === null ? {} : { enum: isEmptyAllowed ? [...options, null] : options }),
    };
    const nullable = "type" in base && isEmptyAllowed ? { ...base, type: [base.type, "null"] } : base;
    return [
      name,
      {
        ...nullable,
        ...(label === null ? {} : { title: label }),
        ...(description === null ? {} : { description }),
        ...(field.default === undefined ? {} : { default: field.default }),
      },
    ];
  });
  const required = inputs.filter((field) => field.required && field.default === undefined).map(({ name }) => name);
  return {
    type: textInput(inputs) === undefined ? "object" : ["object", "string", "null"],
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
  };
}

function headOf({ settings, inputs, dialect }: Graph, datastores: ReadonlySet<string>): readonly string[] {
  const config = {
    timeout: `${Math.ceil(settings.timeout * 1_000)}ms`,
    ...(settings.schedule === undefined ? {} : { schedule: settings.schedule }),
    ...(datastores.size === 0 ? {} : { datastores: [...datastores] }),
  };
  const schema = inputs.length === 0 ? [] : [`export const inputSchema = ${literal(schemaOf(inputs))};`];
  return [`// A graph (${dialect}) as a script; made by Weft.`, `export const config = ${literal(config)};`, ...schema];
}

const literal = (value: object): string =>
  JSON.stringify(value)
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029")
    .replaceAll('"__proto__":', '["__proto__"]:');

function specOf({ dialect, inputs, settings }: Graph): readonly string[] {
  const defaults = inputs.filter((field) => field.default !== undefined).map((field) => [field.name, field.default]);
  const files = inputs.filter(({ type }) => type === "file").map(({ name }) => name);
  const named = textInput(inputs);
  return [
    `  result: "${RESULTS[dialect]}",`,
    `  parallelLimit: ${settings.parallel_limit},`,
    `  retries: ${settings.retry_attempts},`,
    ...(named === undefined ? [] : [`  inputName: ${quoted(named.name)},`]),
    ...(defaults.length === 0 ? [] : [`  defaults: ${literal(Object.fromEntries(defaults))},`]),
    ...(files.length === 0 ? [] : [`  files: ${literal(files)},`]),
  ];
}

/** Writes a graph as a script and reports every problem of its nodes, templates and expressions. */
export function emitGraph(graph: Graph, problems: Problems): WrittenGraph {
  const writing: Writing = {
    ...{ graph, problems, rules: rulesOf(graph), used: new Set<string>(["defineGraph"]) },
    ...{ files: new Map<string, string>(), places: new Map<string, string>(), datastores: new Set<string>() },
    readPart: (raw, path) => readPart(raw, path, graph.dialect, problems),
    part(part, path) {
      const pathOf = (id: string) =>
        path.includes(".branches") && part.nodes.length !== 1
          ? `${path}.nodes[${part.nodes.findIndex((one) => one.id === id)}]`
          : path;
      return `{\n${writePart(part, writing, pathOf, edgesPath(path)).join("\n")}\n  }`;
    },
  };
  const list = LISTS[graph.dialect];
  const index = new Map(graph.nodes.map(({ id }, i) => [id, i]));
  const edgesAt = graph.dialect === "solcognia" ? "connections" : "edges";
  const body = writePart(graph, writing, (id) => `${list}[${index.get(id) ?? 0}]`, edgesAt);
  const scripts = [...writing.files.keys()].map((path, i) => `import script${i + 1} from ${quoted(`./${path}`)};`);
  const main = [
    `import { ${[...writing.used].sort().join(", ")} } from "weft/graph";`,
    ...scripts,
    ...headOf(graph, writing.datastores),
    "",
    "export const execute = defineGraph({",
    ...specOf(graph),
    ...body,
    "});",
    "",
  ].join("\n");
  return { main, files: writing.files, places: writing.places, datastores: writing.datastores };
}
