import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildVendor, type ModulePath, type ModuleText, type Resolution } from "./esbuild.ts";

const DIRECTORY = join(import.meta.dirname, "web");
const FILES: ReadonlySet<string> = new Set(readdirSync(DIRECTORY).filter((name) => name.endsWith(".ts")));

/** Globals of the web platform that are compiled into a bundle when it uses them, by the file that exports them. */
const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  "url.ts": ["URL", "URLSearchParams"],
  "streams-library.ts": [
    "ReadableStream",
    "ReadableStreamDefaultReader",
    "ReadableStreamBYOBReader",
    "WritableStream",
    "WritableStreamDefaultWriter",
    "TransformStream",
    "ByteLengthQueuingStrategy",
    "CountQueuingStrategy",
  ],
  "text-streams.ts": ["TextEncoderStream", "TextDecoderStream"],
  "compression.ts": ["CompressionStream", "DecompressionStream"],
  "blob.ts": ["Blob", "File"],
  "form-data.ts": ["FormData"],
  "headers.ts": ["Headers"],
  "request.ts": ["Request"],
  "response.ts": ["Response"],
  "fetch.ts": ["fetch"],
  "crypto.ts": ["crypto"],
  "navigator.ts": ["navigator"],
};

/** Name used in a script → the file and the global it stands for; `subtle` is what tells a use of WebCrypto. */
const OWNERS = new Map(Object.entries(EXPORTS).flatMap(([file, names]) => names.map((name) => [name, file] as const)));
OWNERS.delete("crypto");

/** The modules to inject so that every one of `names` that the guest lacks is there. */
export function webModulesFor(names: Iterable<string>): readonly ModulePath[] {
  const wanted = new Map<string, string[]>();
  for (const name of names) {
    const [global, file] = name === "subtle" ? ["crypto", "crypto.ts"] : [name, OWNERS.get(name)];
    if (file !== undefined) wanted.set(file, [...(wanted.get(file) ?? []), global]);
  }
  return [...wanted].map(([file, globals]) => ({
    namespace: "web",
    path: `inject:${file}:${globals.sort().join(",")}`,
    pure: true,
  }));
}

/** True for a module that {@link readWebModule} can read. */
export function isWebModule(path: string): boolean {
  return path.startsWith("inject:") || path.startsWith("vendor:") || FILES.has(path);
}

/** What a web module means by a specifier: always one of its siblings; `x-library.ts` is bundled with its package. */
export function resolveWebImport(specifier: string): Resolution {
  const name = specifier.replace(/^\.\//, "");
  if (!FILES.has(name)) return { refusal: `${JSON.stringify(specifier)} is not a file of the web platform` };
  return { namespace: "web", path: name.endsWith("-library.ts") ? `vendor:${name}` : name, pure: true };
}

const texts = new Map<string, Promise<string>>();

function remember(path: string, read: () => Promise<string>): Promise<string> {
  const known = texts.get(path) ?? read();
  texts.set(path, known);
  return known;
}

/** Both `URL` and `globalThis.URL` become the export of the module. */
function injectText(path: string): string {
  const [, file, names = ""] = path.split(":");
  const list = names.split(",").flatMap((name) => [name, `${name} as "globalThis.${name}"`]);
  return `export { ${list.join(", ")} } from "./${file}";`;
}

/** Text of a web module; libraries are bundled once per process. */
export async function readWebModule(path: string): Promise<ModuleText> {
  if (path.startsWith("inject:")) return { text: injectText(path), loader: "js" };
  if (!path.startsWith("vendor:")) {
    return { text: await remember(path, () => readFile(join(DIRECTORY, path), "utf8")), loader: "ts" };
  }
  const file = path.slice("vendor:".length);
  return { text: await remember(path, () => buildVendor(join(DIRECTORY, file))), loader: "js" };
}
