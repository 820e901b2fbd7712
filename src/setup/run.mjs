import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { nodeBinary } from "./install.mjs";
import { forwardSignals } from "./signals.mjs";

/**
 * Runs `file` (relative to the project) with the project's Node, passes signals on and ends as it ended: with its exit
 * code, or by the same signal.
 */
export function runFile({ root, file, args, cwd, env }) {
  const child = spawn(nodeBinary(root), [resolve(root, file), ...args], { cwd, env, stdio: "inherit" });
  const stopForwarding = forwardSignals(child);
  return new Promise((done, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      stopForwarding();
      process.exitCode = code ?? 1;
      if (signal !== null) process.kill(process.pid, signal);
      done();
    });
  });
}
