import { workflowPath } from "./api.ts";
import { type Command, firstArg } from "./command.ts";
import { asRecord } from "./json.ts";

/** `weft rollback`: makes an older (or any stored) version the active one. */
export const rollback: Command = {
  name: "rollback",
  about: "make a stored version the active one",
  args: [
    { name: "ref", about: "the workflow" },
    { name: "version", about: "its version, for example 1.2.0" },
  ],
  flags: [],
  examples: ["weft rollback summarize 1.0.0"],
  async run(call) {
    const [ref = "", version = ""] = call.args;
    const api = await call.api();
    const path = workflowPath(ref, `/versions/${encodeURIComponent(version)}/activate`);
    const data = asRecord(await api.call(path, { method: "POST" }))["data"];
    if (call.json) return call.terminal.print(JSON.stringify(data));
    call.terminal.print(`${call.terminal.green("✓")} ${call.terminal.bold(firstArg(call))} is now ${version}`);
  },
};
