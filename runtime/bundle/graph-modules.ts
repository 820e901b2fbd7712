import { join } from "node:path";
import { buildGuestModule, type ModulePath, type ModuleText } from "./esbuild.ts";

const ENTRY = join(import.meta.dirname, "..", "..", "sandbox", "graph", "index.ts");

/** What scripts import it by: graphs are compiled to scripts that do. */
export const GRAPH_IMPORT = "weft/graph";

/** Code of the guest that only the bundles of scripts that import it contain. */
export const GRAPH_MODULE: ModulePath = { namespace: "graph", path: "index", pure: true };

let text: Promise<string> | undefined;

/** Text of the module, built once per process. */
export async function readGraphModule(): Promise<ModuleText> {
  text ??= buildGuestModule(ENTRY);
  return { text: await text, loader: "js" };
}
