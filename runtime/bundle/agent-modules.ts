import { join } from "node:path";
import { createModuleDirectory } from "./module-directory.ts";

/** `ctx.agents` and `runTools`: code of the guest that only the bundles of scripts that name them contain. */
export const AGENT_MODULES = createModuleDirectory(
  "agents",
  join(import.meta.dirname, "..", "..", "sandbox", "agents"),
  "the agents",
);

/** What the entry of a bundle imports it by. */
export const AGENT_MEMBERS = "weft:agents";

/** True for a source text that may use them: a name that is put together at run time is not seen. */
export const namesAgents = (text: string): boolean => /\bagents\b|\brunTools\b/.test(text);
