import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { dirname, extname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** One npm package that scripts may import. */
interface Provided {
  /** Web globals its code uses, compiled in beside it when what is used of it needs them. */
  readonly needs: readonly string[];
  /** `#name` imports of the package and the files they mean where there is no Node. */
  readonly internal?: Readonly<Record<string, string>>;
}

const OPENAI_NEEDS = ["fetch", "Headers", "Request", "Response", "FormData", "File", "Blob", "URL", "URLSearchParams"];

/** The npm packages that scripts may import, by name. */
export const PROVIDED: Readonly<Record<string, Provided>> = {
  zod: { needs: ["URL", "File"] },
  "lodash-es": { needs: [] },
  "date-fns": { needs: [] },
  openai: {
    needs: [...OPENAI_NEEDS, "ReadableStream", "TextDecoderStream", "navigator"],
    internal: { "#x509-transport-state": "internal/auth/x509-transport-state.mjs" },
  },
};

const BUILTINS = new Set(builtinModules.filter((name) => !name.startsWith("_")));

const ALTERNATIVES: Readonly<Record<string, string>> = {
  assert: "throw new WorkflowError(…)",
  buffer: "Uint8Array, TextEncoder, atob and btoa",
  child_process: "ctx.workflow for work of its own",
  cluster: "ctx.workflow for work of its own",
  crypto: "the global crypto",
  dns: "ctx.http",
  events: "the global EventTarget",
  fs: "ctx.http or accessories",
  http: "ctx.http or fetch",
  http2: "ctx.http or fetch",
  https: "ctx.http or fetch",
  module: "import with a literal name",
  net: "ctx.http",
  os: "ctx.env",
  path: "plain string functions",
  perf_hooks: "the global performance",
  process: "ctx.env",
  querystring: "the global URLSearchParams",
  sqlite: "ctx.datastore",
  stream: "the global ReadableStream",
  string_decoder: "the global TextDecoder",
  timers: "the global setTimeout or ctx.sleep",
  tls: "ctx.http",
  url: "the global URL",
  util: "the globals of the web platform",
  worker_threads: "ctx.workflow for work of its own",
  zlib: "the global CompressionStream",
};

/** The sentence that refuses a Node built-in, or undefined when the specifier is none. */
export function refuseBuiltin(specifier: string): string | undefined {
  const name = specifier.replace(/^node:/, "");
  if (!specifier.startsWith("node:") && !BUILTINS.has(name)) return undefined;
  const topic = name.split("/")[0] ?? "";
  const instead = Object.hasOwn(ALTERNATIVES, topic) ? ALTERNATIVES[topic] : "ctx";
  return `Node built-in ${JSON.stringify(specifier)} is not available in workflows; use ${instead} instead`;
}

/** The sentence that refuses a package nobody provides. */
export function refusePackage(specifier: string): string {
  const available = Object.keys(PROVIDED).join(", ");
  return `package ${JSON.stringify(packageName(specifier))} is not provided; available: ${available}`;
}

/** The package part of a bare specifier. */
export function packageName(specifier: string): string {
  const [first = "", second = ""] = specifier.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/** True when a bare specifier names a provided package or a plain path inside one. */
export function isProvided(specifier: string): boolean {
  return Object.hasOwn(PROVIDED, packageName(specifier)) && /^[\w@-]+(\/[\w@-][\w.@-]*)*$/.test(specifier);
}

const EXTENSIONS = [".js", ".mjs", ".cjs", ".json"];
const roots = new Map<string, string>();

function rootOf(name: string): string {
  const known = roots.get(name);
  if (known !== undefined) return known;
  let directory = import.meta.dirname;
  for (;;) {
    try {
      const root = realpathSync(join(directory, "node_modules", name));
      roots.set(name, root);
      return root;
    } catch (missing) {
      if (dirname(directory) === directory) throw missing;
      directory = dirname(directory);
    }
  }
}

/** Name of a module file inside the package's own directory (`zod/v4/core/api.js`), links followed; else undefined. */
function insidePackage(name: string, path: string): string | undefined {
  const root = rootOf(name);
  const candidates = EXTENSIONS.includes(extname(path)) ? [path] : EXTENSIONS.map((extension) => path + extension);
  for (const candidate of candidates) {
    try {
      const real = realpathSync(candidate);
      if (real.startsWith(root + sep)) return `${name}/${relative(root, real).split(sep).join("/")}`;
    } catch {
      // Not this extension.
    }
  }
  return undefined;
}

const resolved = new Map<string, string>();

/** Answers from memory what was found before: packages do not change while the server runs. */
function remember(key: string, find: () => string | undefined): string | undefined {
  const known = resolved.get(key);
  if (known !== undefined) return known;
  const found = find();
  if (found !== undefined) resolved.set(key, found);
  return found;
}

/** The module a provided package means by `specifier`, or undefined when it has none. Names start with the package's. */
export function resolvePackage(specifier: string): string | undefined {
  return remember(specifier, () => {
    try {
      return insidePackage(packageName(specifier), fileURLToPath(import.meta.resolve(specifier)));
    } catch {
      return undefined;
    }
  });
}

/** What a module of a package means by a relative or `#` specifier, or undefined when that is not inside the package. */
export function resolveInside(specifier: string, importer: string): string | undefined {
  const name = packageName(importer);
  if (!specifier.startsWith("#")) {
    const from = dirname(importer);
    return remember(`${specifier} ${from}`, () => insidePackage(name, resolve(dirname(fileOf(importer)), specifier)));
  }
  const target = PROVIDED[name]?.internal?.[specifier];
  return target === undefined ? undefined : insidePackage(name, join(rootOf(name), target));
}

function fileOf(module: string): string {
  const name = packageName(module);
  return join(rootOf(name), module.slice(name.length + 1));
}

const texts = new Map<string, string>();

/** Text of a module of a provided package; kept in memory, for packages do not change while the server runs. */
export async function readPackageFile(module: string): Promise<string> {
  const known = texts.get(module);
  if (known !== undefined) return known;
  const text = await readFile(fileOf(module), "utf8");
  texts.set(module, text);
  return text;
}
