import { fileURLToPath } from "node:url";
import { buildTrusted } from "../bundle/esbuild.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Turns at once in one host process: isolated-vm threads that may be busy. */
const MAX_BUSY = 4;

/** An expression that yields the boot function of a realm. */
export async function buildPrelude(): Promise<string> {
  const prelude = await buildTrusted(path("../../sandbox/prelude.ts"), { platform: "neutral" });
  return `(function(){"use strict";${prelude};const boot=globalThis.weftBoot;delete globalThis.weftBoot;return boot;})()`;
}

/**
 * The program a host process reads from its standard input: the host bundle (a jitless Node cannot strip types) with
 * the prelude of the realms inside. `manifest` is the list of op names.
 */
export async function buildHostSource(manifest: readonly string[]): Promise<string> {
  const [prelude, host] = await Promise.all([
    buildPrelude(),
    buildTrusted(path("../host/main.ts"), { platform: "node", external: ["isolated-vm"] }),
  ]);
  const hello = { prelude, manifest: JSON.stringify(manifest), maxBusy: MAX_BUSY };
  return `const WEFT_HELLO=${JSON.stringify(hello)};\n${host}`;
}
