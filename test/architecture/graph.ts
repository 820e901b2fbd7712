import { readdir, readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { resolve, sep } from "node:path";
import { build, type Plugin } from "esbuild";

/** The project's directory. */
export const root = resolve(import.meta.dirname, "../..");

/** One import of one source file; type-only imports count like the others. */
export interface Import {
  /** Path of the importing file from the project's root, with forward slashes. */
  readonly from: string;
  /** Path of the imported file, or the name of the package or of the Node built-in. */
  readonly to: string;
  readonly kind: "file" | "package" | "builtin";
}

/** Paths (from the root) of all source files of the given top-level folders, declaration files left out. */
export async function sourceFiles(folders: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(resolve(root, folder), { recursive: true }).catch(() => []);
      return names.map((name) => `${folder}/${name.split(sep).join("/")}`);
    }),
  );
  return found
    .flat()
    .filter((path) => /\.(ts|mjs)$/.test(path) && !path.endsWith(".d.ts"))
    .toSorted();
}

/** Every import of the given files, each of them an entry point: so worker and host entries are covered, too. */
export async function readImports(files: readonly string[]): Promise<readonly Import[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [...files],
    bundle: true,
    write: false,
    metafile: true,
    outdir: "out",
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "silent",
    plugins: [keepTypeImports],
  });
  return Object.entries(metafile.inputs).flatMap(([from, input]) =>
    input.imports.map(({ path, external }) => ({ from, ...toTarget(path, external === true) })),
  );
}

/** The first import cycle among the files, its first file repeated at the end; null when there is none. */
export function findCycle(imports: readonly Import[]): readonly string[] | null {
  const next = new Map<string, string[]>();
  for (const { from, to, kind } of imports) {
    if (kind === "file") next.set(from, [...(next.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): readonly string[] | null => {
    const start = trail.indexOf(file);
    if (start >= 0) return [...trail.slice(start), file];
    if (done.has(file)) return null;
    for (const target of next.get(file) ?? []) {
      const cycle = visit(target, [...trail, file]);
      if (cycle !== null) return cycle;
    }
    done.add(file);
    return null;
  };
  for (const file of next.keys()) {
    const cycle = visit(file, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

function toTarget(path: string, external: boolean): Pick<Import, "to" | "kind"> {
  if (!external) return { to: path, kind: "file" };
  if (path.startsWith("node:") || builtinModules.includes(path)) return { to: path, kind: "builtin" };
  const [scope = "", name = ""] = path.split("/");
  return { to: scope.startsWith("@") ? `${scope}/${name}` : scope, kind: "package" };
}

/**
 * esbuild drops type-only imports before it writes the metafile; as imports for effect they stay in it. Dynamic imports
 * and `require` are found as they are.
 */
const keepTypeImports: Plugin = {
  name: "keep-type-imports",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: toEffectImports(await readFile(path, "utf8")),
      loader: "ts",
    }));
  },
};

function toEffectImports(text: string): string {
  return text.replace(/^(?:import|export)\s[^"'`();=]*?\sfrom\s+("[^"]+")/gm, "import $1");
}
