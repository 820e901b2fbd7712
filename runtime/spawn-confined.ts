import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

/** Caps that the kernel holds a process to; absent = none. */
export interface KernelCaps {
  /** Data segment, KiB. */
  readonly dataKib?: number;
  /** CPU time of the process, s. */
  readonly cpuSeconds?: number;
}

/** Where Linux is out of memory, it kills the process before the server; does nothing elsewhere. */
const FIRST_TO_GO = "{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null";

/**
 * Starts Node for other people's code or data: held to the caps by the kernel, no core dumps, the first to be killed
 * when memory runs out, its own process group so that a terminal's Ctrl-C reaches only the server.
 */
export function spawnConfined(args: readonly string[], caps: KernelCaps, given: SpawnOptions): ChildProcess {
  const options = { ...given, detached: true };
  if (process.platform === "win32") return spawn(process.execPath, args, options);
  const { dataKib, cpuSeconds } = caps;
  const steps = [
    FIRST_TO_GO,
    "ulimit -c 0",
    ...(dataKib === undefined ? [] : [`ulimit -d ${dataKib}`]),
    ...(cpuSeconds === undefined ? [] : [`ulimit -t ${cpuSeconds}`]),
    'exec "$0" "$@"',
  ];
  return spawn("/bin/sh", ["-c", steps.join("; "), process.execPath, ...args], options);
}
