import { runPath } from "./api.ts";
import { type Command, firstArg } from "./command.ts";
import { asText, dataOf } from "./json.ts";

/** `weft cancel`: stops an execution. */
export const cancel: Command = {
  name: "cancel",
  about: "stop an execution, whether it is queued, waiting or running",
  args: [{ name: "execution", about: "execution id" }],
  flags: [],
  examples: ["weft cancel exec_0123456789abcdef0123456789abcdef"],
  async run(call) {
    const api = await call.api();
    const run = dataOf(await api.call(runPath(firstArg(call), "/cancel"), { method: "POST" }));
    call.terminal.print(call.json ? JSON.stringify(run) : (asText(run["status"]) ?? ""));
  },
};
