import type { Command } from "./command.ts";
import { stop } from "./exit.ts";
import { readInput } from "./input.ts";
import { asText, dataOf } from "./json.ts";

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (text.trim() !== "" && Number.isFinite(seconds)) return seconds;
  throw stop("usage", `--ttl: must be a number of seconds, got ${JSON.stringify(text)}`);
}

/** `weft events send`: tells runs that something happened. */
export const events: Command = {
  name: "events",
  about: "send an event to the runs that wait for it",
  args: [
    { name: "action", about: "send" },
    { name: "name", about: "name of the event" },
  ],
  flags: [
    { flags: "--data <json>", about: "data of the event: JSON, @file, or - for stdin" },
    { flags: "--run <execution>", about: "the only run it is for" },
    { flags: "--id <id>", about: "your own id: within 24 hours the same event is sent once" },
    { flags: "--ttl <seconds>", about: "keep it that long for runs that wait later" },
  ],
  examples: [
    `weft events send order.paid --data '{"order":7}'`,
    "weft events send go --run exec_0123456789abcdef0123456789abcdef",
  ],
  async run({ args, options, io, json, terminal, api }) {
    const [action = "", name = ""] = args;
    if (action !== "send") throw stop("usage", `action: must be send, got ${JSON.stringify(action)}`);
    const data = await readInput(options.text("data"), io, "--data");
    const body = {
      name,
      data,
      id: options.text("id"),
      ttl_seconds: secondsOf(options.text("ttl")),
      execution_id: options.text("run"),
    };
    const sent = dataOf(await (await api()).call("/api/v1/events", { json: body }));
    if (json) return terminal.print(JSON.stringify(sent));
    terminal.print(asText(sent["id"]) ?? "");
    const again = sent["repeated"] === true ? " (sent before)" : "";
    terminal.note(terminal.dim(`it reached ${asText(sent["reached"]) ?? 0} runs${again}`));
  },
};
