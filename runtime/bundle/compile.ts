import { createHash } from "node:crypto";
import { SourceMap, type SourceMapPayload } from "node:module";
import type { Bundle, BundleProblem, Upload } from "../bundle-types.ts";
import type { Limits } from "../limits.ts";
import { namesAgents } from "./agent-modules.ts";
import { type BuildComplaint, buildVirtual, transformSource } from "./esbuild.ts";
import { inspectModule, type ModuleFindings, type Refusal } from "./guard.ts";
import { createModuleSpace, NAMESPACES, resolveRelative, withoutForeignMap } from "./modules.ts";
import { PROVIDED, packageName } from "./packages.ts";
import { bundleFailed, type CheckedUpload, checkUpload, clipLine, lineOf, loaderOf, wholeProblem } from "./upload.ts";
import { webModulesFor } from "./web-modules.ts";
import { entryText, finishMap, GLOBAL_NAME, wrapCode } from "./wrap.ts";

/** Limits of bundling; all in bytes. */
export type CompileLimits = Pick<Limits, "maxScriptBytes" | "maxBundleBytes">;

/** What the reachable files of an upload say about themselves, by path. */
type Modules = ReadonlyMap<string, ModuleFindings>;

/** Bundles an upload in this thread; `directory` is an empty one. Throws BUNDLE_FAILED with the problems found. */
export async function compile(upload: Upload, limits: CompileLimits, directory: string): Promise<Bundle> {
  const checked = checkUpload(upload, limits);
  const modules = await inspectReachable(checked);
  const exports = exportedNames(checked.entry, modules, checked);
  checkExecute(exports, checked);
  const imports = [...modules.values()].flatMap((module) => module.imports);
  const packages = new Set(imports.map(packageName).filter((name) => Object.hasOwn(PROVIDED, name)));
  const names = [...modules.values()].flatMap((module) => [...module.names]);
  const needs = [...packages].flatMap((name) => PROVIDED[name]?.needs ?? []);
  const agents = [...modules.keys()].some((path) => namesAgents(checked.files.get(path)?.text ?? ""));
  const facts = { entry: checked.entry, exports, zod: packages.has("zod"), agents };
  const built = await buildVirtual({
    entry: { namespace: "weft", path: "entry" },
    inject: webModulesFor(new Set([...names, ...needs])),
    space: createModuleSpace(checked, entryText(facts)),
    globalName: GLOBAL_NAME,
    directory,
  });
  if (!built.ok) throw bundleFailed(built.complaints.map((complaint) => toProblem(complaint, checked)));
  checkInputs(built.inputs, checked);
  const code = wrapCode(built.code);
  checkSize(code, limits, checked);
  return { hash: createHash("sha256").update(code).digest("hex"), code, sourceMap: finishMap(built.map) };
}

/** Transforms and inspects the entry and every uploaded file it reaches; throws with all refusals found. */
async function inspectReachable(upload: CheckedUpload): Promise<Modules> {
  const modules = new Map<string, ModuleFindings>();
  const problems: BundleProblem[] = [];
  const queue = [upload.entry];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (modules.has(path)) continue;
    const { findings, found } = await inspectFile(path, upload);
    problems.push(...found);
    modules.set(path, findings);
    for (const specifier of findings.imports.filter((name) => name.startsWith("."))) {
      const next = resolveRelative(specifier, path, upload);
      if (next !== undefined && loaderOf(next) !== "json") queue.push(next);
    }
  }
  if (problems.length > 0) throw bundleFailed(problems);
  return modules;
}

async function inspectFile(
  path: string,
  upload: CheckedUpload,
): Promise<{ findings: ModuleFindings; found: BundleProblem[] }> {
  const text = upload.files.get(path)?.text ?? "";
  const loader = loaderOf(path) ?? "ts";
  const transformed = await transformSource(withoutForeignMap(text), { file: path, loader });
  if (!transformed.ok) throw bundleFailed(transformed.complaints.map((complaint) => toProblem(complaint, upload)));
  const findings = inspectModule(transformed.code);
  if (findings.refusals.length === 0) return { findings, found: [] };
  const map = new SourceMap(JSON.parse(transformed.map) as SourceMapPayload);
  return { findings, found: findings.refusals.map((refusal) => locate(refusal, { path, text, map })) };
}

/** Moves a refusal from the transformed text to the author's own. */
function locate(refusal: Refusal, file: { path: string; text: string; map: SourceMap }): BundleProblem {
  const entry = file.map.findEntry(refusal.line - 1, refusal.column);
  const line = "originalLine" in entry ? entry.originalLine + 1 : 1;
  const column = "originalColumn" in entry ? entry.originalColumn : 0;
  return { file: file.path, line, column, lineText: lineOf(file.text, line), text: refusal.text };
}

function exportedNames(
  path: string,
  modules: Modules,
  upload: CheckedUpload,
  seen = new Set<string>(),
): ReadonlySet<string> {
  const names = new Set(modules.get(path)?.exports);
  seen.add(path);
  for (const star of modules.get(path)?.stars ?? []) {
    const target = star.startsWith(".") ? resolveRelative(star, path, upload) : undefined;
    if (target === undefined || seen.has(target)) continue;
    for (const name of exportedNames(target, modules, upload, seen)) if (name !== "default") names.add(name);
  }
  return names;
}

const EXACTLY_ONE = "exactly one exported execute(ctx) is required, found ";

function checkExecute(exports: ReadonlySet<string>, { entry, files }: CheckedUpload): void {
  const count = ["execute", "default"].filter((name) => exports.has(name)).length;
  if (count !== 1) throw bundleFailed([wholeProblem(`${EXACTLY_ONE}${count}`, entry, files.get(entry)?.text)]);
}

const TWICE = [/^Multiple exports with the same name "execute"$/, /^The symbol "execute" has already been declared$/];
const PLAINER: readonly (readonly [RegExp, string])[] = [
  [/^Top-level await is .*/, "top-level await is not available; await inside execute(ctx)"],
  [/"(?:upload|weft):([^"]+)"/g, '"$1"'],
];

/** A complaint in the author's terms; places outside the upload are not shown. */
function toProblem({ text, place }: BuildComplaint, upload: CheckedUpload): BundleProblem {
  const file = place?.file.replace(/^upload:/, "") ?? "";
  const source = upload.files.get(file)?.text;
  if (TWICE.some((pattern) => pattern.test(text))) return wholeProblem(`${EXACTLY_ONE}2`, file, source);
  const plain = PLAINER.reduce((sentence, [pattern, to]) => sentence.replace(pattern, to), text);
  if (place === null || source === undefined) {
    const shown =
      place === null || place.file.startsWith("package:") ? ownWords(plain) : "the script could not be bundled";
    return wholeProblem(shown, upload.entry);
  }
  const { line, column, lineText } = place;
  return { file, line, column, lineText: clipLine(lineText), text: plain };
}

/** Only refusals that Weft wrote itself may be shown without a place in the upload: others may quote foreign text. */
function ownWords(text: string): string {
  return text.startsWith("this part of the package needs ") ? text : "the script could not be bundled";
}

function checkInputs(inputs: readonly string[], { entry }: CheckedUpload): void {
  const foreign = inputs.some((input) => !NAMESPACES.some((namespace) => input.startsWith(`${namespace}:`)));
  if (foreign) throw bundleFailed([wholeProblem("an import reaches outside the uploaded files", entry)]);
}

function checkSize(code: string, { maxBundleBytes }: CompileLimits, { entry }: CheckedUpload): void {
  const bytes = Buffer.byteLength(code);
  if (bytes <= maxBundleBytes) return;
  throw bundleFailed([
    wholeProblem(`the bundle may have ${maxBundleBytes} bytes (maxBundleBytes); it has ${bytes}`, entry),
  ]);
}
