import { readHatz } from "./dialects/hatz.ts";
import { readMotte } from "./dialects/motte.ts";
import { readPowabase } from "./dialects/powabase.ts";
import { isFields } from "./dialects/read.ts";
import { readSolcognia } from "./dialects/solcognia.ts";
import { emitGraph } from "./emit.ts";
import { invalidGraph, Problems, shown } from "./problems.ts";
import { type CheckedGraph, type Fields, type Graph, type GraphDialect, MAX_DOCUMENT_BYTES } from "./types.ts";
import { checkPart, warnOf } from "./validate.ts";

const READERS: Readonly<Record<GraphDialect, (document: Fields, problems: Problems) => Graph>> = {
  solcognia: readSolcognia,
  hatz: readHatz,
  motte: readMotte,
  powabase: readPowabase,
};

const PLACES: Readonly<Record<GraphDialect, { readonly nodes: string; readonly edges: string }>> = {
  solcognia: { nodes: "nodes", edges: "connections" },
  hatz: { nodes: "steps", edges: "dependencies" },
  motte: { nodes: "nodes", edges: "edges" },
  powabase: { nodes: "blocks", edges: "edges" },
};

/** Levels of a document. */
const MAX_DEPTH = 60;

interface Place {
  readonly value: unknown;
  readonly path: string;
  readonly depth: number;
}

const within = ({ value, path, depth }: Place): readonly Place[] => {
  if (typeof value !== "object" || value === null) return [];
  const isList = Array.isArray(value);
  const pathOf = (name: string) => (isList ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`).slice(0, 200);
  return Object.entries(value).map(([name, inner]) => ({ value: inner, path: pathOf(name), depth: depth + 1 }));
};

/** Reports what lies too deep, and members that would be more than data. */
function checkDepth(document: unknown, problems: Problems): boolean {
  const todo: Place[] = [{ value: document, path: "", depth: 0 }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (next.depth > MAX_DEPTH) {
      problems.add(next.path, `is nested deeper than ${MAX_DEPTH} levels`);
      return false;
    }
    if (/(^|\.)__proto__$/.test(next.path)) problems.add(next.path, "is a reserved name");
    for (const place of within(next)) todo.push(place);
  }
  return true;
}

function read(document: unknown, dialect: GraphDialect, problems: Problems): Graph | null {
  if (!isFields(document)) {
    problems.add("body", `must be an object, got ${shown(document)}`);
    return null;
  }
  if (!checkDepth(document, problems)) return null;
  const bytes = Buffer.byteLength(JSON.stringify(document));
  if (bytes > MAX_DOCUMENT_BYTES) {
    problems.add("body", `has ${bytes} bytes as JSON, over ${MAX_DOCUMENT_BYTES}`);
    return null;
  }
  return READERS[dialect](document, problems);
}

/** Reads and checks a document in a dialect's own form; null and problems where it is not valid. */
export function inspectGraph({ dialect, document }: { readonly dialect: GraphDialect; readonly document: unknown }): {
  readonly graph: Graph | null;
  readonly problems: Problems;
} {
  const problems = new Problems();
  const graph = read(document, dialect, problems);
  if (graph === null) return { graph: null, problems };
  const places = PLACES[dialect];
  checkPart(graph, places, problems);
  if (problems.errors.length === 0 || graph.nodes.every(({ id }) => id !== "")) emitGraph(graph, problems);
  warnOf(graph, places, problems);
  return { graph: problems.errors.length === 0 ? graph : null, problems };
}

/** Reads and checks a document; throws INVALID_WORKFLOW_SCHEMA with all its problems. */
export function parseGraph(given: { readonly dialect: GraphDialect; readonly document: unknown }): CheckedGraph {
  const { graph, problems } = inspectGraph(given);
  if (graph === null) throw invalidGraph(problems.errors);
  return { graph, warnings: problems.warnings };
}
