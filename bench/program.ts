import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The project's directory. */
export const root = join(import.meta.dirname, "..");

/** What to run with the project's Node. */
export interface ProgramOptions {
  /** Options of Node, the file, and the file's arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A process that the bench started. */
export interface Program {
  readonly pid: number;
  /** The first line that it printed, which says that it is ready. */
  readonly firstLine: string;
  /** Emits `line` with each further line that it prints. */
  readonly lines: EventEmitter<{ line: [text: string] }>;
  /** SIGTERM, SIGKILL when it has not gone after 20 s, and waits until it is gone. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

const STOP_GRACE_MS = 20_000;
const MAX_COMPLAINT = 4_000;
const running = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a program and waits for its first line; throws with what it wrote to stderr when it ends before. */
export async function startProgram({ args, env }: ProgramOptions): Promise<Program> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const gone = once(child, "close").finally(() => running.delete(child));
  let complaint = "";
  child.stderr.on("data", (data: Buffer) => {
    complaint = (complaint + data.toString()).slice(-MAX_COMPLAINT);
  });
  const lines = new EventEmitter<{ line: [text: string] }>();
  createInterface({ input: child.stdout }).on("line", (text) => lines.emit("line", text));
  const first = await Promise.race([once(lines, "line"), gone.then(() => null)]);
  if (first === null) throw new Error(`${args.join(" ")} ended before it was ready: ${complaint}`);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
    await gone;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? 0,
    firstLine: String(first[0]),
    lines,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}
