import { runPath } from "./api.ts";
import { type Command, firstArg } from "./command.ts";
import { asRecord } from "./json.ts";

/** `weft delete-run`: removes an execution with all that it recorded. */
export const deleteRun: Command = {
  name: "delete-run",
  about: "remove an execution with its trace, output and the executions it called",
  args: [{ name: "execution", about: "execution id" }],
  flags: [],
  examples: ["weft delete-run exec_0123456789abcdef0123456789abcdef"],
  async run(call) {
    const api = await call.api();
    const answer = asRecord(await api.call(runPath(firstArg(call)), { method: "DELETE" }));
    call.terminal.print(call.json ? JSON.stringify(answer["data"]) : `✓ ${firstArg(call)} is gone`);
  },
};
