import { CommanderError, Option, Command as Parser } from "commander";
import { settingsHelp } from "../settings-table.ts";
import { weftVersion } from "../version.ts";
import { createApi } from "./api.ts";
import { type Command, type Flag, toOptions } from "./command.ts";
import { parseConnection } from "./connection.ts";
import { EXIT_CODES, exitCode, stop } from "./exit.ts";
import { COMMANDS } from "./index.ts";
import type { Io } from "./io.ts";
import { showError } from "./show-error.ts";
import { createTerminal } from "./terminal.ts";

function closing(): string {
  const codes = EXIT_CODES.map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`);
  const server =
    "The commands talk to the server at WEFT_URL with the key in WEFT_API_KEY, or, on the same machine, with\nthe key file in the data directory.";
  return `\n${server}\n\n${settingsHelp()}\n\nExit codes:\n${codes.join("\n")}`;
}

function toOption(flag: Flag): Option {
  const option = new Option(flag.flags, flag.about);
  if (flag.repeat)
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  return option;
}

function addCommand(
  program: Parser,
  command: Command,
  perform: (values: Record<string, unknown>, args: readonly string[]) => Promise<void>,
): void {
  const parser = program.command(command.name).description(command.about);
  for (const { name, about, many, optional } of command.args) {
    const word = many ? `${name}...` : name;
    parser.argument(optional ? `[${word}]` : `<${word}>`, about);
  }
  for (const flag of command.flags) parser.addOption(toOption(flag));
  parser.option("--json", "print JSON only");
  parser.addHelpText("after", `\nExamples:\n${command.examples.map((example) => `  ${example}`).join("\n")}`);
  parser.action(() => perform(parser.opts(), parser.args));
}

function createProgram(io: Io, json: boolean): Parser {
  const program = new Parser("weft")
    .description("Runs script workflows: upload a TypeScript file, call it by name.")
    .version(weftVersion());
  program.exitOverride().showHelpAfterError("(weft --help shows all commands and settings)");
  program.configureOutput({
    writeOut: (text) => void io.stdout.write(text),
    // With --json the error is written as JSON instead, by runCli.
    writeErr: (text) => void (json || io.stderr.write(text)),
    getOutHasColors: () => io.interactive,
    getErrHasColors: () => io.interactive,
  });
  return program.addHelpText("after", closing());
}

/** Runs one command line (without the program's name); resolves to the exit code and never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const json = argv.includes("--json");
  const program = createProgram(io, json);
  for (const command of COMMANDS) {
    addCommand(program, command, async (values, args) => {
      const api = async () => createApi(parseConnection(io), io.signal);
      await command.run({ args, options: toOptions(values), json, io, terminal: createTerminal(io, json), api });
    });
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
    return io.signal.aborted && argv[0] !== "start" ? exitCode("interrupted") : 0;
  } catch (thrown) {
    const wrongUsage = thrown instanceof CommanderError;
    if (wrongUsage && (thrown.exitCode === 0 || !json)) return thrown.exitCode === 0 ? 0 : exitCode("usage");
    const error = wrongUsage ? stop("usage", thrown.message.replace(/^error: /, "")) : thrown;
    return showError(error, { io, terminal: createTerminal(io, json), json });
  }
}
