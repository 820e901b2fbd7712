import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { InvokeRequest } from "../../src/engine/engine.ts";
import type { CoreAnswer, CoreCommand } from "./core-main.ts";

/** A core in a process of its own, to be killed. */
export interface SpawnedCore {
  deploy(ref: string, script: string): Promise<void>;
  /** Invokes and returns the id without waiting for the result. */
  invoke(ref: string, request?: Partial<InvokeRequest>): Promise<string>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

async function ask(child: ChildProcess, command: CoreCommand): Promise<CoreAnswer> {
  const answer = once(child, "message");
  child.send(command);
  const [message] = await answer;
  return message as CoreAnswer;
}

/** Starts it on `dataDir`. */
export async function spawnCore(dataDir: string): Promise<SpawnedCore> {
  const env = { PATH: process.env["PATH"] ?? "", WEFT_DATA_DIR: dataDir };
  const child = fork(join(import.meta.dirname, "core-main.ts"), { env, execPath: process.execPath, execArgv: [] });
  await once(child, "message");
  return {
    deploy: async (ref, script) => {
      await ask(child, { ref, script });
    },
    invoke: async (ref, request = {}) => (await ask(child, { ref, request })).executionId ?? "",
    async kill() {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
