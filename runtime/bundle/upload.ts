import type { BundleProblem, SourceFile, Upload } from "../bundle-types.ts";
import { fail, type WorkflowError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Loader } from "./esbuild.ts";

/** Most files in one upload. */
export const MAX_FILES = 600;
/** Longest path of an uploaded file, in characters. */
export const MAX_PATH_CHARS = 200;
/** Most problems reported for one upload. */
const MAX_PROBLEMS = 20;
/** Longest source line quoted in a problem, in characters. */
const MAX_LINE_CHARS = 200;

const LOADERS: Readonly<Record<string, Loader>> = {
  ts: "ts",
  mts: "ts",
  tsx: "tsx",
  js: "js",
  mjs: "js",
  jsx: "jsx",
  json: "json",
};

/** An upload whose form has been checked: its files by path, and which one is the entry. */
export interface CheckedUpload {
  readonly entry: string;
  readonly files: ReadonlyMap<string, SourceFile>;
}

/** How a file is read, by its extension; undefined when Weft does not take such files. */
export function loaderOf(path: string): Loader | undefined {
  const extension = path.slice(path.lastIndexOf(".") + 1);
  return Object.hasOwn(LOADERS, extension) ? LOADERS[extension] : undefined;
}

/** The 1-based line `line` of a text, shortened for display. */
export function lineOf(text: string, line: number): string {
  return clipLine(text.split("\n", line)[line - 1] ?? "");
}

/** A source line as problems quote it. */
export function clipLine(line: string): string {
  return line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS)}…` : line;
}

/** The error of an upload that cannot be bundled; its message starts with the first problem. */
export function bundleFailed(problems: readonly BundleProblem[]): WorkflowError {
  const distinct = new Map(problems.map((problem) => [sentence(problem), problem]));
  const shown = [...distinct].slice(0, MAX_PROBLEMS);
  const message = shown.map(([text]) => text).join("\n");
  return fail("BUNDLE_FAILED", { message, problems: shown.map(([, problem]) => problem) });
}

/** Problems of the whole upload (`script: …`) stand for themselves; all others start with their place. */
function sentence({ file, line, column, text }: BundleProblem): string {
  return text.startsWith("script: ") ? text : `${file}:${line}:${column + 1}: ${text}`;
}

/** A problem of the whole upload, shown at the first line of `file`. */
export function wholeProblem(text: string, file: string, source = ""): BundleProblem {
  return { file, line: 1, column: 0, lineText: lineOf(source, 1), text: `script: ${text}` };
}

function refuse(text: string, file = "main.ts"): never {
  throw bundleFailed([wholeProblem(text, file)]);
}

const SEGMENT = /^[\w@+$()[\] -][\w.@+$()[\] -]*$/;

function checkPath(path: string): void {
  if (path.length > MAX_PATH_CHARS) refuse(`a file path may have ${MAX_PATH_CHARS} characters; one has ${path.length}`);
  if (!path.split("/").every((segment) => SEGMENT.test(segment))) {
    refuse(`the path ${JSON.stringify(path)} is not a relative path of plain names separated by "/"`);
  }
  if (loaderOf(path) === undefined) {
    refuse(
      `${path}: files must end in ${Object.keys(LOADERS)
        .map((ext) => `.${ext}`)
        .join(", ")}; use accessories for data`,
    );
  }
}

function entryOf(upload: Upload, files: ReadonlyMap<string, SourceFile>): string {
  const usual = ["main.ts", "index.ts", "main.js", "index.js"].find((name) => files.has(name));
  const entry = upload.entry ?? (files.size === 1 ? upload.files[0]?.path : usual);
  if (entry === undefined)
    refuse("several files need an entry; name the one that exports execute (or call it main.ts)");
  if (!files.has(entry)) refuse(`the entry ${JSON.stringify(entry)} is not among the files`);
  if (loaderOf(entry) === "json") refuse(`the entry ${JSON.stringify(entry)} is JSON; it must export execute`);
  return entry;
}

/** Checks number, paths, sizes and entry of an upload; throws BUNDLE_FAILED naming the limit and the value. */
export function checkUpload(upload: Upload, limits: Pick<Limits, "maxScriptBytes">): CheckedUpload {
  if (upload.files.length === 0) refuse("at least one file is required, found 0");
  if (upload.files.length > MAX_FILES)
    refuse(`an upload may have ${MAX_FILES} files; this one has ${upload.files.length}`);
  const files = new Map<string, SourceFile>();
  let bytes = 0;
  for (const file of upload.files) {
    checkPath(file.path);
    if (files.has(file.path)) refuse(`the path ${JSON.stringify(file.path)} appears twice`);
    files.set(file.path, file);
    bytes += Buffer.byteLength(file.text);
  }
  if (bytes > limits.maxScriptBytes) {
    refuse(`the source may have ${limits.maxScriptBytes} bytes (maxScriptBytes); it has ${bytes}`);
  }
  return { entry: entryOf(upload, files), files };
}
