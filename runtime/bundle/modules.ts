import { posix } from "node:path";
import { AGENT_MEMBERS, AGENT_MODULE, readAgentModule } from "./agent-modules.ts";
import type { Loader, ModulePath, ModuleSpace, ModuleText, Resolution } from "./esbuild.ts";
import { GRAPH_IMPORT, GRAPH_MODULE, readGraphModule } from "./graph-modules.ts";
import {
  isProvided,
  readPackageFile,
  refuseBuiltin,
  refusePackage,
  resolveInside,
  resolvePackage,
} from "./packages.ts";
import { type CheckedUpload, loaderOf } from "./upload.ts";
import { isWebModule, readWebModule, resolveWebImport } from "./web-modules.ts";

/** Namespaces of a build; every module read must be in one of them. */
export const NAMESPACES = ["upload", "package", "web", "agents", "graph", "weft"] as const;

const SUFFIXES = ["", ".ts", ".tsx", ".mts", ".js", ".mjs", ".jsx", ".json", "/index.ts", "/index.tsx", "/index.js"];
/** TypeScript files are imported by the name of the JavaScript they become. */
const REWRITES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.js$/, [".ts", ".tsx"]],
  [/\.mjs$/, [".mts"]],
  [/\.jsx$/, [".tsx"]],
];

const WEFT_MODULE = ["WorkflowError", "ChatError", "HttpError", "NestedWorkflowError", "LimitError"]
  .map((name) => `export const ${name} = weft.errors.${name};`)
  .join("\n");

/** Path of the upload's file that a relative specifier means, as TypeScript resolves it; undefined when there is none. */
export function resolveRelative(specifier: string, importer: string, upload: CheckedUpload): string | undefined {
  const path = posix.join(posix.dirname(importer), specifier);
  const rewritten = REWRITES.flatMap(([ending, to]) =>
    ending.test(path) ? to.map((end) => path.replace(ending, end)) : [],
  );
  return [...SUFFIXES.map((suffix) => path + suffix), ...rewritten].find((candidate) => upload.files.has(candidate));
}

const isRelative = (specifier: string) => /^\.\.?(\/|$)/.test(specifier);

function resolveFromUpload(specifier: string, importer: string, upload: CheckedUpload): Resolution {
  if (isRelative(specifier)) {
    const path = resolveRelative(specifier, importer, upload);
    if (path !== undefined) return { namespace: "upload", path };
    return {
      refusal: `${JSON.stringify(specifier)} is not among the uploaded files (${[...upload.files.keys()].join(", ")})`,
    };
  }
  if (specifier === "weft") return { namespace: "weft", path: "weft", pure: true };
  if (specifier === GRAPH_IMPORT) return GRAPH_MODULE;
  const builtin = refuseBuiltin(specifier);
  if (builtin !== undefined) return { refusal: builtin };
  if (/^[a-z][a-z0-9+.-]*:|^[/\\#]/i.test(specifier) || specifier === "") {
    return {
      refusal: `import ${JSON.stringify(specifier)} is not available; import uploaded files by a relative path`,
    };
  }
  if (!isProvided(specifier)) return { refusal: refusePackage(specifier) };
  const path = resolvePackage(specifier);
  return path === undefined
    ? { refusal: `package has no module ${JSON.stringify(specifier)}` }
    : { namespace: "package", path, pure: true };
}

function resolveFromPackage(specifier: string, importer: string): Resolution {
  const inside = isRelative(specifier) || specifier.startsWith("#");
  const path = inside
    ? resolveInside(specifier, importer)
    : isProvided(specifier)
      ? resolvePackage(specifier)
      : undefined;
  if (path !== undefined) return { namespace: "package", path, pure: true };
  return { refusal: `this part of the package needs ${JSON.stringify(specifier)}, which workflows do not have` };
}

function packageLoader(path: string): Loader {
  return path.endsWith(".json") ? "json" : "js";
}

function resolveFromEntry(specifier: string, upload: CheckedUpload): Resolution {
  if (specifier === AGENT_MEMBERS) return AGENT_MODULE;
  return specifier === upload.entry
    ? { namespace: "upload", path: specifier }
    : resolveFromUpload(specifier, "", upload);
}

/** Text of a module of Weft's own or of a package. */
async function loadProvided({ namespace, path }: ModulePath): Promise<ModuleText> {
  if (namespace === "package") return { text: await readPackageFile(path), loader: packageLoader(path) };
  if (namespace === "web" && isWebModule(path)) return readWebModule(path);
  if (namespace === AGENT_MODULE.namespace && path === AGENT_MODULE.path) return readAgentModule();
  if (namespace === GRAPH_MODULE.namespace && path === GRAPH_MODULE.path) return readGraphModule();
  throw new Error("nothing else can be read");
}

/** The module space of one upload: its own files, the provided packages, the web platform and agents, and nothing else. */
export function createModuleSpace(upload: CheckedUpload, entryText: string): ModuleSpace {
  return {
    async load(module) {
      const { namespace, path } = module;
      if (namespace === "weft") return { text: path === "weft" ? WEFT_MODULE : entryText, loader: "js" };
      if (namespace !== "upload") return loadProvided(module);
      const text = upload.files.get(path)?.text ?? "";
      return { text: withoutForeignMap(text), loader: loaderOf(path) ?? "ts" };
    },
    resolve(specifier, importer) {
      if (importer.namespace === "weft") return resolveFromEntry(specifier, upload);
      if (importer.namespace === "upload") return resolveFromUpload(specifier, importer.path, upload);
      if (importer.namespace === "package") return resolveFromPackage(specifier, importer.path);
      if (importer.namespace === "web") return resolveWebImport(specifier);
      return { refusal: `import ${JSON.stringify(specifier)} is not available` };
    },
  };
}

/** esbuild follows the last source map comment of a file: ours leads nowhere, so the author's are never read. */
export function withoutForeignMap(text: string): string {
  return text.includes("sourceMappingURL=") ? `${text}\n//# sourceMappingURL=none` : text;
}
