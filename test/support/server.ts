import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseSettings } from "../../src/config.ts";
import { type Server, startServer } from "../../src/server.ts";
import { makeDataDir, testEnvironment } from "./data-dir.ts";

/** Key of the owner in every test server. */
export const TEST_KEY = "weft_test_key_0123456789";

type Environment = Readonly<Record<string, string>>;

/** A server of its own for one test file. */
export interface TestServer extends Server {
  readonly dataDir: string;
  readonly apiKey: string;
  /** What the server reported as its own bugs; a test may expect it to be empty. */
  readonly reported: readonly unknown[];
}

/** Starts a server in this process on a free port; `environment` adds or replaces settings. */
export async function startTestServer(environment: Environment = {}): Promise<TestServer> {
  const own = environment["WEFT_DATA_DIR"] === undefined ? await makeDataDir() : null;
  const dataDir = environment["WEFT_DATA_DIR"] ?? own?.path ?? "";
  const reported: unknown[] = [];
  const settings = parseSettings(testEnvironment(dataDir, TEST_KEY, environment));
  const server = await startServer(settings, (error) => reported.push(error));
  return {
    ...server,
    dataDir,
    reported,
    apiKey: environment["WEFT_API_KEY"] ?? TEST_KEY,
    async close() {
      await server.close();
      await own?.remove();
    },
  };
}

/** A server in a process of its own, for tests that kill it. */
export interface SpawnedServer {
  readonly url: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  /** SIGTERM, and waits until it is gone. */
  stop(): Promise<void>;
}

/** Spawns a server on `dataDir` and resolves once it listens; `maxFiles` is the most files and sockets that it may open. */
export async function spawnTestServer(
  dataDir: string,
  environment: Environment = {},
  maxFiles: number | null = null,
): Promise<SpawnedServer> {
  const main = join(import.meta.dirname, "server-main.ts");
  const env = { PATH: process.env["PATH"] ?? "", ...testEnvironment(dataDir, TEST_KEY, environment) };
  const shell = `ulimit -n ${maxFiles ?? "$(ulimit -n)"}; exec "$0" "$@"`;
  const child = spawn("/bin/sh", ["-c", shell, process.execPath, main], { env, stdio: ["pipe", "pipe", "inherit"] });
  const gone = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, "line"), gone.then(() => null)]);
  if (first === null) throw new Error(`the server ended with code ${child.exitCode} before it listened`);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await gone;
  };
  const url = String(first[0]);
  return { url, pid: child.pid ?? 0, child, kill: () => end("SIGKILL"), stop: () => end("SIGTERM") };
}
