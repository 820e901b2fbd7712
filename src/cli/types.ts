import { readFileSync } from "node:fs";
import type { Command } from "./command.ts";

/** What scripts may import of Weft, and where its types are. */
const MODULES = [
  ["weft", new URL("../../runtime/ctx.d.ts", import.meta.url)],
  ["weft/graph", new URL("../../runtime/graph.d.ts", import.meta.url)],
] as const;

function declaration(name: string, source: URL): string {
  const text = readFileSync(source, "utf8").trimEnd();
  const body = text.split("\n").map((line) => (line === "" ? "" : `  ${line}`));
  return [`declare module "${name}" {`, ...body, "}"].join("\n");
}

/** The authors' types as ambient modules: a file that makes `import … from "weft"` and `"weft/graph"` known to an editor. */
export function typesText(): string {
  return MODULES.map(([name, source]) => declaration(name, source)).join("\n\n");
}

/** `weft types`: prints the types of scripts. */
export const types: Command = {
  name: "types",
  about: "print the types of scripts, for an editor",
  args: [],
  flags: [],
  examples: ["weft types > weft.d.ts"],
  async run(call) {
    const text = typesText();
    call.terminal.print(call.json ? JSON.stringify({ types: text }) : text);
  },
};
