import { type Command, firstArg } from "./command.ts";
import { asText, dataOf } from "./json.ts";

/** `weft resume`: lets a failed execution go on from its failed ctx call. */
export const resume: Command = {
  name: "resume",
  about: "let a failed execution go on from where it failed",
  args: [{ name: "execution", about: "execution id" }],
  flags: [],
  examples: ["weft resume exec_0123456789abcdef0123456789abcdef"],
  async run(call) {
    const { terminal } = call;
    const api = await call.api();
    const path = `/api/v1/runs/${encodeURIComponent(firstArg(call))}/resume`;
    const data = dataOf(await api.call(path, { method: "POST" }));
    if (call.json) return terminal.print(JSON.stringify(data));
    const id = asText(data["id"]) ?? firstArg(call);
    terminal.print(id);
    terminal.note(terminal.dim(`Follow it with: weft logs ${id} --follow`));
  },
};
