import { BEGIN_FLAGS, toBeginFields } from "./begin-flags.ts";
import { CALL_FLAGS, toCallBody } from "./call-body.ts";
import { callStream, callWhole, showAnswer, showFrames } from "./call-stream.ts";
import { type Command, type CommandCall, firstArg } from "./command.ts";
import { stop } from "./exit.ts";
import { asRecord, asText } from "./json.ts";

async function inBackground(call: CommandCall, body: object): Promise<void> {
  const api = await call.api();
  const started = asRecord(await api.call("/workflow/chat/completions", { json: { ...body, background: true } }));
  const id = asText(started["id"]) ?? "";
  if (call.json) return call.terminal.print(JSON.stringify(started));
  call.terminal.print(id);
  call.terminal.note(call.terminal.dim(`Follow it with: weft logs ${id} --follow`));
}

async function streaming(call: CommandCall, body: object): Promise<void> {
  const startedAt = Date.now();
  const api = await call.api();
  if (call.json) {
    const frame = (value: object) => call.terminal.print(JSON.stringify(value));
    await callStream(api, body, { reader: { frame } });
    return;
  }
  showAnswer(call, await callStream(api, body, { reader: showFrames(call) }), startedAt);
}

/** `weft run`: calls a workflow and prints what it returns. */
export const run: Command = {
  name: "run",
  about: "call a workflow and print its output",
  args: [{ name: "ref", about: "workflow, or workflow@version" }],
  flags: [
    ...CALL_FLAGS,
    { flags: "--stream", about: "print text and chunks while the workflow runs" },
    { flags: "--background", about: "return at once with an execution id" },
    ...BEGIN_FLAGS,
  ],
  examples: [`weft run hello --input '{"name":"Ada"}'`, "weft run summarize --input @article.json --stream"],
  async run(call) {
    if (call.options.flag("stream") && call.options.flag("background")) {
      throw stop("usage", "--stream and --background exclude each other");
    }
    const body = { ...(await toCallBody(call, firstArg(call))), ...toBeginFields(call) };
    if (call.options.flag("background")) return inBackground(call, body);
    if (call.options.flag("stream")) return streaming(call, body);
    const startedAt = Date.now();
    const api = await call.api();
    const answer = await call.terminal.during(`Running ${firstArg(call)}`, () => callWhole(api, body));
    if (call.json) return call.terminal.print(JSON.stringify(answer.body));
    showAnswer(call, answer, startedAt);
  },
};
