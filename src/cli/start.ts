import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { parseSettings, type Settings } from "../config.ts";
import type { Server } from "../server.ts";
import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import type { Io } from "./io.ts";
import { keyFile, writeKeyFile } from "./key-file.ts";

function inUse(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ("code" in error && error.code === "EADDRINUSE") return true;
  }
  return false;
}

function report(io: Io): (error: unknown) => void {
  return (error) => {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    io.stderr.write(
      `${new Date().toISOString()} ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`,
    );
  };
}

async function open(settings: Settings, io: Io): Promise<Server> {
  // Loaded here, so that the other commands do not load the whole server.
  const { startServer } = await import("../server.ts");
  try {
    return await startServer(settings, report(io));
  } catch (thrown) {
    if (!inUse(thrown)) throw thrown;
    const place = `Port ${settings.port} of ${settings.host}`;
    throw stop("failed", `${place} is in use. Stop the program that uses it, or choose another with WEFT_PORT.`);
  }
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What stands for the key in the printed curl: the new key itself, else wherever this user can get it from. */
function keyWord(server: Server, settings: Settings, file: string): string {
  if (server.key !== null) return server.key;
  if (settings.apiKey !== null) return "$WEFT_API_KEY";
  return existsSync(file) ? `$(cat ${shellWord(file)})` : "$WEFT_API_KEY";
}

function modelLine(settings: Settings): string {
  if (settings.modelsFile !== null) return settings.modelsFile;
  if (settings.openaiApiKey !== null || settings.openaiBaseUrl !== null) return settings.openaiBaseUrl ?? "OpenAI";
  return "echo, built in; set OPENAI_API_KEY or WEFT_MODELS for a real one";
}

function greet(call: CommandCall, server: Server, settings: Settings): void {
  const { terminal, io } = call;
  const file = keyFile(resolve(io.cwd, settings.dataDir));
  const shownFile = relative(io.cwd, file);
  const row = (name: string, value: string) => terminal.print(`  ${terminal.dim(name.padEnd(10))} ${value}`);
  terminal.print(`${terminal.green("●")} ${terminal.bold("Weft")} is running at ${terminal.bold(server.url)}\n`);
  if (server.key !== null)
    row(
      "API key",
      `${terminal.bold(server.key)}  (shown once; this machine's weft command reads it from ${shownFile})`,
    );
  row("Data", settings.dataDir);
  row("Model", modelLine(settings));
  if (server.examples.length > 0) row("Examples", server.examples.join(", "));
  const { datastores } = server.filling;
  if (datastores.length > 0) row("Loading", `${datastores.join(", ")}: datastores of examples, there in some seconds`);
  row("Reference", `${server.url}/docs`);
  terminal.print(`\nTry it:\n  curl ${server.url}/workflow/chat/completions \\`);
  terminal.print(
    `    -H "Authorization: Bearer ${keyWord(server, settings, shownFile)}" -H "Content-Type: application/json" \\`,
  );
  terminal.print(`    -d '{"model":"workflow:hello","input":{"name":"Ada"}}'\n\nCtrl-C stops the server.`);
}

function untilStopped(io: Io): Promise<void> {
  return new Promise((resolve_) => {
    if (io.signal.aborted) resolve_();
    io.signal.addEventListener("abort", () => resolve_());
  });
}

/** `weft start`: runs the server until it is told to stop. */
export const start: Command = {
  name: "start",
  about: "run the server",
  args: [],
  flags: [],
  examples: ["weft start", "WEFT_PORT=9000 weft start"],
  async run(call) {
    const { io, terminal } = call;
    const settings = parseSettings(io.env);
    const server = await terminal.during("Starting", () => open(settings, io));
    try {
      if (server.key !== null) writeKeyFile(resolve(io.cwd, settings.dataDir), server.key);
      if (call.json) terminal.print(JSON.stringify({ url: server.url, key: server.key, examples: server.examples }));
      else greet(call, server, settings);
      await untilStopped(io);
      terminal.note("Stopping; running executions get a moment to finish. Ctrl-C again stops at once.");
    } finally {
      await server.close();
    }
  },
};
