import { join } from "node:path";
import { buildGuestModule, type ModulePath, type ModuleText } from "./esbuild.ts";

const ENTRY = join(import.meta.dirname, "..", "..", "sandbox", "agents", "members.ts");

/** `ctx.agents` and `runTools`: code of the guest that only the bundles of scripts that name them contain. */
export const AGENT_MODULE: ModulePath = { namespace: "agents", path: "members", pure: true };

/** What the entry of a bundle imports it by. */
export const AGENT_MEMBERS = "weft:agents";

/** True for a source text that may use them: a name that is put together at run time is not seen. */
export const namesAgents = (text: string): boolean => /\bagents\b|\brunTools\b/.test(text);

let text: Promise<string> | undefined;

/** Text of the module, built once per process. */
export async function readAgentModule(): Promise<ModuleText> {
  text ??= buildGuestModule(ENTRY);
  return { text: await text, loader: "js" };
}
