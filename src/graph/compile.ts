import { emitGraph } from "./emit.ts";
import { invalidGraph, Problems } from "./problems.ts";
import type { CompiledGraph, Graph } from "./types.ts";

/** Path of the file that exports `execute`. */
export const GRAPH_ENTRY = "graph.ts";

/** Compiles a checked graph to a script; INVALID_WORKFLOW_SCHEMA for one that is not valid. */
export function compileGraph(graph: Graph): CompiledGraph {
  const problems = new Problems();
  const { main, files, places, datastores } = emitGraph(graph, problems);
  if (problems.errors.length > 0) throw invalidGraph(problems.errors);
  const scripts = [...files].map(([path, text]) => ({ path, text }));
  return {
    upload: { files: [{ path: GRAPH_ENTRY, text: main }, ...scripts], entry: GRAPH_ENTRY },
    datastores: [...datastores],
    scripts: Object.fromEntries(places),
  };
}
