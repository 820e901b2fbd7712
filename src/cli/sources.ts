import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname, relative, resolve, sep } from "node:path";
import { stop } from "./exit.ts";

/** One file of a script: its place on disk, and its path in the upload (with forward slashes). */
export interface LocalFile {
  readonly path: string;
  readonly absolute: string;
  readonly text: string;
}

const SCRIPT = new Set([".ts", ".mts", ".tsx", ".js", ".mjs", ".json"]);
// Also matches inside comments and texts: that uploads one file too many, never one too few.
const RELATIVE_IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}\/[^"'\n]+)["']/g;

function readScript(absolute: string, shown: string): string {
  try {
    return readFileSync(absolute, "utf8");
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
    throw stop("usage", `${shown}: cannot be read (${why})`);
  }
}

function candidates(target: string): readonly string[] {
  const typescript = target.replace(/\.(m?)js$/, ".$1ts");
  return [
    target,
    typescript,
    `${target}.ts`,
    `${target}.tsx`,
    `${target}.js`,
    `${target}.mjs`,
    `${target}.json`,
    `${target}/index.ts`,
    `${target}/index.js`,
  ];
}

function locate(specifier: string, from: string): string | null {
  const target = resolve(dirname(from), specifier);
  const isFile = (path: string) => SCRIPT.has(extname(path)) && existsSync(path) && statSync(path).isFile();
  return candidates(target).find(isFile) ?? null;
}

function importsOf(absolute: string, text: string): readonly string[] {
  if (absolute.endsWith(".json")) return [];
  const found = [...text.matchAll(RELATIVE_IMPORT)].map(([, specifier = ""]) => locate(specifier, absolute));
  return found.filter((path) => path !== null);
}

function commonDirectory(paths: readonly string[]): string {
  const [first = "", ...others] = paths.map((path) => dirname(path).split(sep));
  const shared = [...first];
  for (const parts of others) {
    const differs = shared.findIndex((part, index) => parts[index] !== part);
    if (differs >= 0) shared.length = differs;
  }
  return shared.join(sep) || sep;
}

/** Reads script files and everything they import from relative paths; the first file is the entry and comes first. */
export function collectSources(files: readonly string[], cwd: string): readonly LocalFile[] {
  const texts = new Map<string, string>();
  const queue = files.map((file) => ({ absolute: resolve(cwd, file), shown: file }));
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { absolute, shown } = next;
    if (texts.has(absolute)) continue;
    const text = readScript(absolute, shown);
    texts.set(absolute, text);
    queue.push(...importsOf(absolute, text).map((path) => ({ absolute: path, shown: relative(cwd, path) })));
  }
  const root = commonDirectory([...texts.keys()]);
  return [...texts].map(([absolute, text]) => ({
    absolute,
    text,
    path: relative(root, absolute).split(sep).join("/"),
  }));
}

/** The ref a script gets when none is named: its file name without the extension. */
export function refOf(file: string): string {
  return basename(file).replace(/\.[a-z]+$/i, "");
}
