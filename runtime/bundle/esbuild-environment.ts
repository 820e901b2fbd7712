import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Address space that esbuild may use for uploads, in KiB. */
const MAX_KIB = 2 * 1024 * 1024;
const WRAPPER = join(import.meta.dirname, "limited-esbuild.sh");

function binaryPath(): string | null {
  try {
    const fromEsbuild = createRequire(createRequire(import.meta.url).resolve("esbuild"));
    const binary = fromEsbuild.resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`);
    accessSync(WRAPPER, constants.X_OK);
    return binary;
  } catch {
    return null;
  }
}

/**
 * The whole environment of the thread that bundles uploads, inherited by its esbuild process: none of the server's
 * settings or secrets, and (where there is a POSIX shell) a cap on memory.
 */
export function esbuildEnvironment(): Record<string, string> {
  const calm = { GOMAXPROCS: "2" };
  const binary = process.platform === "win32" ? null : binaryPath();
  if (binary === null) return calm;
  return { ...calm, ESBUILD_BINARY_PATH: WRAPPER, WEFT_ESBUILD: binary, WEFT_ESBUILD_KIB: String(MAX_KIB) };
}
