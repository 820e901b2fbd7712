import { resolve } from "node:path";
import { RECORDING_SUFFIX } from "../recording/recording-file.ts";
import { type Command, firstArg } from "./command.ts";
import { download } from "./download.ts";
import { sizeOf } from "./sizes.ts";

/** The path of an execution's recording. */
export function recordingPath(execution: string, accessories: boolean): string {
  return `/api/v1/runs/${encodeURIComponent(execution)}/recording${accessories ? "" : "?accessories=false"}`;
}

/** `weft pull`: writes an execution to a file that can be replayed anywhere. */
export const pull: Command = {
  name: "pull",
  about: "write an execution's bundle, sources, journal and output to a file for `weft replay`",
  args: [{ name: "execution", about: "execution id" }],
  flags: [
    { flags: "--output <file>", about: `where to; default: <execution>${RECORDING_SUFFIX}` },
    { flags: "--no-accessories", about: "leave the contents of its accessories out" },
  ],
  examples: ["weft pull exec_0123456789abcdef0123456789abcdef"],
  async run(call) {
    const { terminal, options, io } = call;
    const execution = firstArg(call);
    const shown = options.text("output") ?? `${execution}${RECORDING_SUFFIX}`;
    const from = recordingPath(execution, !options.off("accessories"));
    const { bytes, headers } = await download(call, from, resolve(io.cwd, shown));
    const recorded = headers.get("x-weft-execution-id") ?? execution;
    if (call.json) return terminal.print(JSON.stringify({ file: shown, bytes, execution: recorded }));
    terminal.print(`${terminal.green("✓")} ${shown} (${sizeOf(bytes)})`);
    if (recorded !== execution)
      terminal.note(
        terminal.dim(`  The result cache answered ${execution} with the result of ${recorded}: this is its recording.`),
      );
    terminal.note(terminal.dim(`  Replay it with: weft replay ${shown}`));
  },
};
