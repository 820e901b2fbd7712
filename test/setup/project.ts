import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { within } from "../support/until.ts";

/** A small project with Weft's setup script, whose only dependency is a stand-in for the `node` package. */
export interface Project {
  readonly root: string;
  /** Starts setup.mjs in the project's directory, as npm called from its directory `stand-in` does. */
  start(...args: string[]): Running;
  /** Writes a file of the project. */
  write(path: string, text: string): Promise<void>;
  /** Gives the project another lockfile that asks for the same dependency. */
  changeLock(comment: string): Promise<void>;
  remove(): Promise<void>;
}

/** One run of setup.mjs. */
export interface Running {
  kill(signal: NodeJS.Signals): void;
  /** Resolves when its stdout contains `text`. */
  prints(text: string): Promise<void>;
  /** Exit code or signal, and what it wrote. */
  readonly ended: Promise<{
    readonly code: number | NodeJS.Signals | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

/** Makes the project in a temporary directory, without node_modules. */
export async function createProject(): Promise<Project> {
  const root = await mkdtemp(join(tmpdir(), "weft-setup-"));
  const write = async (path: string, text: string) => {
    await mkdir(resolve(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  };
  await cp(resolve(import.meta.dirname, "../../src/setup"), join(root, "src/setup"), { recursive: true });
  await write(
    "package.json",
    JSON.stringify({ name: "sample", version: "1.0.0", dependencies: { node: "file:stand-in" } }),
  );
  await write("stand-in/package.json", JSON.stringify({ name: "node", version: "1.0.0", bin: { node: "bin/node" } }));
  await write("stand-in/bin/node", `#!/bin/sh\nexec "${process.execPath}" "$@"\n`);
  await chmod(join(root, "stand-in/bin/node"), 0o755);
  const changeLock = (comment: string) => write("package-lock.json", lockfile(comment));
  await changeLock("first");
  const start = (...args: string[]) => run(root, args);
  return { root, write, changeLock, start, remove: () => rm(root, { recursive: true, force: true }) };
}

function lockfile(comment: string): string {
  return JSON.stringify({
    name: "sample",
    version: "1.0.0",
    lockfileVersion: 3,
    comment,
    packages: {
      "": { name: "sample", version: "1.0.0", dependencies: { node: "file:stand-in" } },
      "node_modules/node": { resolved: "stand-in", link: true },
      "stand-in": { name: "node", version: "1.0.0", bin: { node: "bin/node" } },
    },
  });
}

function run(root: string, args: readonly string[]): Running {
  const env = { ...process.env, INIT_CWD: join(root, "stand-in") };
  const child = spawn(process.execPath, [join(root, "src/setup/setup.mjs"), ...args], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const prints = (text: string) => {
    const printed = async () => {
      while (!output.stdout.includes(text)) await once(child.stdout, "data");
    };
    return within(printed(), () => `${JSON.stringify(text)} to be printed: ${JSON.stringify(output)}`);
  };
  const ended = once(child, "close").then(([code, signal]) => ({ code: code ?? signal, ...output }));
  return { kill: (signal) => child.kill(signal), prints, ended };
}
