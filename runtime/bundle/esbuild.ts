import { tmpdir } from "node:os";
import { build, type Loader, type Message, type Plugin, stop, transform } from "esbuild";

/** Syntax level of every bundle: what it does not cover (decorators, `using`) is rewritten. */
const TARGET = "es2024";

/** A place of a virtual build: where a module came from and what it is called there. */
export interface ModulePath {
  readonly namespace: string;
  readonly path: string;
}

/** The answer to "what does this import mean": a module, or the sentence that refuses it. */
export type Resolution = ModulePath | { readonly refusal: string };

/** Text of one module and how to read it. */
export interface ModuleText {
  readonly text: string;
  readonly loader: Loader;
}

/** Everything a virtual build may see; nothing else is ever read. */
export interface ModuleSpace {
  /** Must answer for every specifier; called once per distinct import. */
  resolve(specifier: string, importer: ModulePath): Resolution;
  load(module: ModulePath): Promise<ModuleText>;
}

/** A virtual build: the entry module and the modules that replace free global names. */
export interface VirtualBuild {
  readonly entry: ModulePath;
  readonly inject: readonly ModulePath[];
  readonly space: ModuleSpace;
}

/** One complaint of esbuild; `place` is null when it is about no file. Line is 1-based, column 0-based in UTF-16 units. */
export interface BuildComplaint {
  readonly text: string;
  readonly place: {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly lineText: string;
  } | null;
}

/** What a build gave: code and map, or the reasons why not. `inputs` are `namespace:path` of all modules read. */
export type BuildOutcome =
  | { readonly ok: true; readonly code: string; readonly map: string; readonly inputs: readonly string[] }
  | { readonly ok: false; readonly complaints: readonly BuildComplaint[] };

/** What a transform gave: JavaScript (ES modules), or the reasons why not. */
export type TransformOutcome =
  | { readonly ok: true; readonly code: string }
  | { readonly ok: false; readonly complaints: readonly BuildComplaint[] };

function complaintsOf(thrown: unknown): readonly BuildComplaint[] {
  const errors = (thrown as { errors?: readonly Message[] }).errors;
  if (errors === undefined || errors.length === 0) throw thrown;
  return errors.map(({ text, location }) => ({
    text,
    place:
      location === null
        ? null
        : { file: location.file, line: location.line, column: columnOf(location), lineText: location.lineText },
  }));
}

/** esbuild counts columns in bytes; editors count UTF-16 units. */
function columnOf(location: { readonly column: number; readonly lineText: string }): number {
  return Buffer.from(location.lineText).subarray(0, location.column).toString().length;
}

/** Turns one TypeScript or JavaScript text into JavaScript without reading anything else. */
export async function transformSource(
  text: string,
  options: { file: string; loader: Loader },
): Promise<TransformOutcome> {
  try {
    const { code } = await transform(text, {
      loader: options.loader,
      sourcefile: options.file,
      format: "esm",
      target: TARGET,
      charset: "utf8",
      legalComments: "none",
      logLevel: "silent",
      tsconfigRaw: {},
    });
    return { ok: true, code };
  } catch (thrown) {
    return { ok: false, complaints: complaintsOf(thrown) };
  }
}

/** Answers every resolve and every load from the space, so that esbuild has no question left for the disk. */
function spacePlugin(build: VirtualBuild): Plugin {
  const { entry, inject, space } = build;
  const roots = new Map([entry, ...inject].map((root) => [rootName(root), root]));
  return {
    name: "weft",
    setup(hooks) {
      hooks.onResolve({ filter: /.*/ }, ({ path, importer, namespace, kind }) => {
        const root = kind === "entry-point" ? roots.get(path) : undefined;
        if (root !== undefined) return { path: root.path, namespace: root.namespace };
        const found = space.resolve(path, { namespace, path: importer });
        return "refusal" in found
          ? { errors: [{ text: found.refusal }] }
          : { path: found.path, namespace: found.namespace };
      });
      hooks.onLoad({ filter: /.*/ }, async ({ path, namespace }) => {
        const { text, loader } = await space.load({ namespace, path });
        return { contents: text, loader };
      });
    },
  };
}

const rootName = (root: ModulePath) => `${root.namespace}:${root.path}`;

/** Bundles a virtual module graph into one immediately invoked function, with an external source map. */
export async function buildVirtual(request: VirtualBuild): Promise<BuildOutcome> {
  try {
    const result = await build({
      entryPoints: [rootName(request.entry)],
      inject: request.inject.map(rootName),
      absWorkingDir: tmpdir(),
      outfile: "bundle.js",
      bundle: true,
      write: false,
      metafile: true,
      format: "iife",
      platform: "neutral",
      target: TARGET,
      charset: "utf8",
      legalComments: "none",
      treeShaking: true,
      minifyWhitespace: true,
      sourcemap: "external",
      sourcesContent: false,
      logLevel: "silent",
      tsconfigRaw: {},
      plugins: [spacePlugin(request)],
    });
    const text = (suffix: string) => result.outputFiles.find((file) => file.path.endsWith(suffix))?.text ?? "";
    return { ok: true, code: text(".js"), map: text(".map"), inputs: Object.keys(result.metafile.inputs) };
  } catch (thrown) {
    return { ok: false, complaints: complaintsOf(thrown) };
  }
}

/**
 * Bundles a file of Weft itself (and all it imports) into one script text: an immediately invoked function for
 * `neutral`, CommonJS for `node`. For trusted code only: it reads the disk. Rejects with esbuild's own error.
 */
export async function buildTrusted(
  entryFile: string,
  options: { platform: "neutral" | "node"; external?: string[] },
): Promise<string> {
  const result = await build({
    entryPoints: [entryFile],
    bundle: true,
    write: false,
    format: options.platform === "node" ? "cjs" : "iife",
    platform: options.platform,
    ...(options.platform === "neutral" ? { mainFields: ["module", "main"] } : {}),
    external: options.external ?? [],
    target: TARGET,
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent",
    tsconfigRaw: {},
  });
  return result.outputFiles[0]?.text ?? "";
}

/** Ends esbuild's child process of this thread; the next call starts a new one. */
export async function stopEsbuild(): Promise<void> {
  await stop();
}
