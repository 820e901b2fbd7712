import { dirname } from "node:path";
import { build, type Message, type Plugin, stop, transform } from "esbuild";

/** Syntax level of every bundle: what it does not cover (decorators, `using`) is rewritten. */
const TARGET = "es2024";

/** How a module's text is read. */
export type Loader = "ts" | "tsx" | "js" | "jsx" | "json";

/** Where a module of a virtual build comes from and what it is called there. */
export interface ModulePath {
  readonly namespace: string;
  readonly path: string;
  /** True when the module may be dropped if nothing of it is used. */
  readonly pure?: boolean;
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
  /** The variable that `globalThis` means: the real one may be frozen. */
  readonly globalName: string;
  /** An empty directory: nothing is read from it, and nothing else could be by a relative path. */
  readonly directory: string;
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

/** What a transform gave: JavaScript (ES modules) and its source map, or the reasons why not. */
export type TransformOutcome =
  | { readonly ok: true; readonly code: string; readonly map: string }
  | { readonly ok: false; readonly complaints: readonly BuildComplaint[] };

/** esbuild's process takes 15 to 20 MiB; it ends when nothing was built in this thread for so long, ms. */
const IDLE_MS = 10_000;
/** The same for files of Weft itself, which are built once, when it starts. */
const TRUSTED_IDLE_MS = 100;
let underWay = 0;
let idle: NodeJS.Timeout | undefined;

/** Keeps esbuild's process for some work, which has begun, and ends it once it is idle; the next work starts another (15 ms). */
async function use<T>(work: Promise<T>, idleMs = IDLE_MS): Promise<T> {
  underWay++;
  clearTimeout(idle);
  try {
    return await work;
  } finally {
    underWay--;
    if (underWay === 0) idle = setTimeout(stop, idleMs).unref();
  }
}

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
    const transformed = transform(text, {
      loader: options.loader,
      sourcefile: options.file,
      format: "esm",
      target: TARGET,
      // Kept for the guard to see; the target alone would drop them.
      supported: { "import-attributes": true },
      charset: "utf8",
      legalComments: "none",
      sourcemap: "external",
      sourcesContent: false,
      logLevel: "silent",
      tsconfigRaw: {},
    });
    const { code, map } = await use(transformed);
    return { ok: true, code, map };
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
        const answer = root ?? space.resolve(path, { namespace, path: importer });
        return "refusal" in answer ? { errors: [{ text: answer.refusal }] } : toResult(answer);
      });
      hooks.onLoad({ filter: /.*/ }, async ({ path, namespace }) => {
        const { text, loader } = await space.load({ namespace, path });
        return { contents: text, loader };
      });
    },
  };
}

const toResult = ({ path, namespace, pure }: ModulePath) => ({ path, namespace, sideEffects: pure !== true });

const rootName = (root: ModulePath) => `${root.namespace}:${root.path}`;

/** Bundles a virtual module graph into one immediately invoked function, with an external source map. */
export async function buildVirtual(request: VirtualBuild): Promise<BuildOutcome> {
  try {
    const building = build({
      entryPoints: [rootName(request.entry)],
      inject: request.inject.map(rootName),
      absWorkingDir: request.directory,
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
      define: { globalThis: request.globalName },
      minifyWhitespace: true,
      sourcemap: "external",
      sourcesContent: false,
      logLevel: "silent",
      tsconfigRaw: {},
      plugins: [spacePlugin(request)],
    });
    const result = await use(building);
    const text = (suffix: string) => result.outputFiles.find((file) => file.path.endsWith(suffix))?.text ?? "";
    return { ok: true, code: text(".js"), map: text(".map"), inputs: Object.keys(result.metafile.inputs) };
  } catch (thrown) {
    return { ok: false, complaints: complaintsOf(thrown) };
  }
}

const TRUSTED = {
  bundle: true,
  write: false,
  target: TARGET,
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
  tsconfigRaw: {},
} as const;

/** Every isolate holds the text of what runs in it. */
const GUEST = { mainFields: ["module", "main"], minifySyntax: true, minifyWhitespace: true };

/**
 * Bundles a file of Weft itself (and all it imports) into one script text: an immediately invoked function for
 * `neutral`, CommonJS for `node`. For trusted code only: it reads the disk. Rejects with esbuild's own error.
 */
export async function buildTrusted(
  entryFile: string,
  options: { platform: "neutral" | "node"; external?: string[] },
): Promise<string> {
  const building = build({
    ...TRUSTED,
    entryPoints: [entryFile],
    format: options.platform === "node" ? "cjs" : "iife",
    platform: options.platform,
    ...(options.platform === "neutral" ? GUEST : {}),
    external: options.external ?? [],
  });
  const result = await use(building, TRUSTED_IDLE_MS);
  return result.outputFiles[0]?.text ?? "";
}

/**
 * Bundles a third-party module that Weft itself provides into one ES module text. Its `globalThis` becomes an object
 * that inherits from the real one, and there is no WeakMap on it: core-js would assign to the methods of one, which
 * frozen intrinsics refuse, and keeps its state in hidden properties instead.
 */
export async function buildVendor(entryFile: string): Promise<string> {
  const building = build({
    ...TRUSTED,
    entryPoints: [entryFile],
    // Names of modules in the text are relative to it: the same wherever Weft is started.
    absWorkingDir: dirname(entryFile),
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    minifyWhitespace: true,
    define: { globalThis: "$library" },
    banner: { js: "const $library = /* @__PURE__ */ Object.create(globalThis, { WeakMap: {} });" },
  });
  const result = await use(building);
  return result.outputFiles[0]?.text ?? "";
}

/** Bundles code of Weft's own that becomes a part of scripts into one small ES module text. */
export async function buildGuestModule(entryFile: string): Promise<string> {
  const building = build({
    ...TRUSTED,
    ...GUEST,
    entryPoints: [entryFile],
    format: "esm",
    platform: "neutral",
    minifyIdentifiers: true,
  });
  const result = await use(building);
  return result.outputFiles[0]?.text ?? "";
}

/** Ends esbuild's child process of this thread; the next call starts a new one. */
export async function stopEsbuild(): Promise<void> {
  clearTimeout(idle);
  await stop();
}
