import { readFileSync } from "node:fs";
import type { Command } from "./command.ts";

const SOURCE = new URL("../../runtime/ctx.d.ts", import.meta.url);

/** The authors' types as an ambient module: a file that makes `import … from "weft"` known to an editor. */
export function typesText(): string {
  const text = readFileSync(SOURCE, "utf8").trimEnd();
  const body = text.split("\n").map((line) => (line === "" ? "" : `  ${line}`));
  return [`declare module "weft" {`, ...body, "}"].join("\n");
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
