import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keyFile, readKeyFile } from "../../src/cli/key-file.ts";
import { makeDataDir } from "../support/data-dir.ts";
import { weft } from "./capture.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/weft.mjs");
const run = promisify(execFile);

let dataDir: Awaited<ReturnType<typeof makeDataDir>>;
let child: ChildProcess | null = null;

beforeEach(async () => {
  dataDir = await makeDataDir();
});
afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  child = null;
  await dataDir.remove();
});

interface Started {
  readonly process: ChildProcess;
  /** Everything printed until the closing hint, or until the process ended. */
  readonly text: string;
}

async function start(env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const settings = { WEFT_PORT: "0", WEFT_DATA_DIR: dataDir.path, WEFT_WORKERS: "1", ...env };
  const started = spawn(process.execPath, [MAIN, "start"], { env: { PATH: process.env["PATH"] ?? "", ...settings } });
  child = started;
  let text = "";
  await new Promise<void>((resolve) => {
    const onData = (data: Buffer) => {
      text += String(data);
      if (text.includes("Ctrl-C stops the server.")) resolve();
    };
    started.stdout.on("data", onData);
    started.stderr.on("data", onData);
    started.once("close", () => resolve());
  });
  return { process: started, text };
}

const urlOf = (text: string) => /running at (\S+)/.exec(text)?.[1] ?? "";

async function stopped(server: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const gone = once(server, "exit");
  server.kill(signal);
  const [code] = await gone;
  return code as number | null;
}

test("the first start shows address, key, examples and a curl that works; SIGTERM ends it cleanly", async () => {
  const { process: server, text } = await start();
  const key = /weft_[\w-]+/.exec(text)?.[0] ?? "";
  expect(text).toMatch(/Examples +approval, etl, fan-out, .*, tools\n +Loading +handbook, products: /);
  expect(readKeyFile(dataDir.path)).toBe(key);

  const curl = /curl [\s\S]*?}}'/.exec(text)?.[0] ?? "";
  const { stdout } = await run("sh", ["-c", curl]);
  expect(JSON.parse(stdout)).toMatchObject({ output: { greeting: "Hello, Ada!" } });

  const listed = await weft(["list", "--json"], { env: { WEFT_URL: urlOf(text), WEFT_DATA_DIR: dataDir.path } });
  expect(listed.code).toBe(0);
  expect(await stopped(server, "SIGTERM")).toBe(0);
});

test("a later start shows no key, and its curl reads the key file", async () => {
  const first = await start({ WEFT_EXAMPLES: "on" });
  expect(await stopped(first.process, "SIGINT")).toBe(0);
  const { process: server, text } = await start();
  expect(text).not.toMatch(/weft_[\w-]{20,}/);
  expect(text).toContain(keyFile(dataDir.path).split("/").at(-2));
  const curl = /curl [\s\S]*?}}'/.exec(text)?.[0] ?? "";
  const { stdout } = await run("sh", ["-c", curl]);
  expect(JSON.parse(stdout)).toMatchObject({ output: { greeting: "Hello, Ada!" } });
  expect(await stopped(server, "SIGTERM")).toBe(0);
});

test("a port in use is named", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  const { process: server, text } = await start({ WEFT_PORT: String(port), WEFT_EXAMPLES: "off" });
  expect(text).toContain(`Port ${port} of 127.0.0.1 is in use`);
  expect(server.exitCode).toBe(1);
  await new Promise((resolve) => other.close(resolve));
});

test("a setting that cannot be used is named", async () => {
  const { process: server, text } = await start({ WEFT_WORKERS: "many" });
  expect(text).toContain('WEFT_WORKERS: must be a whole number from 1 to 256, got "many"');
  expect(server.exitCode).toBe(2);
});
