import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildVendor, type ModuleText, type Resolution } from "./esbuild.ts";

/** Files of Weft that are compiled into bundles which use them. */
export interface ModuleDirectory {
  /** True for a module that {@link ModuleDirectory.read} can read. */
  has(path: string): boolean;
  /** What a module of the directory means by a specifier: always one of its siblings; `x-library.ts` is bundled with its package. */
  resolve(specifier: string): Resolution;
  /** Text of a module; libraries are bundled once per process. */
  read(path: string): Promise<ModuleText>;
}

const VENDOR = "vendor:";

/** The TypeScript files of a directory as the modules of a namespace, called `what` where one is refused. */
export function createModuleDirectory(namespace: string, directory: string, what: string): ModuleDirectory {
  const files: ReadonlySet<string> = new Set(readdirSync(directory).filter((name) => name.endsWith(".ts")));
  const texts = new Map<string, Promise<string>>();
  const remember = (path: string, read: () => Promise<string>): Promise<string> => {
    const known = texts.get(path) ?? read();
    texts.set(path, known);
    return known;
  };
  return {
    has: (path) => path.startsWith(VENDOR) || files.has(path),
    resolve(specifier) {
      const name = specifier.replace(/^\.\//, "");
      if (!files.has(name)) return { refusal: `${JSON.stringify(specifier)} is not a file of ${what}` };
      return { namespace, path: name.endsWith("-library.ts") ? `${VENDOR}${name}` : name, pure: true };
    },
    async read(path) {
      if (!path.startsWith(VENDOR)) {
        return { text: await remember(path, () => readFile(join(directory, path), "utf8")), loader: "ts" };
      }
      const file = path.slice(VENDOR.length);
      return { text: await remember(path, () => buildVendor(join(directory, file))), loader: "js" };
    },
  };
}
