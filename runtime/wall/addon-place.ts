import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** Where the add-on of hosts and its loader are, and the directory from which Node finds them. */
export interface AddonPlace {
  readonly cwd: string;
  readonly directories: readonly string[];
}

/** Finds them. */
export function addonPlace(): AddonPlace {
  const addon = dirname(require.resolve("isolated-vm/package.json"));
  const loader = dirname(createRequire(join(addon, "package.json")).resolve("node-gyp-build/package.json"));
  return { cwd: dirname(dirname(addon)), directories: [addon, loader] };
}
