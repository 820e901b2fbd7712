import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import type { Writable } from "node:stream";

/** A program that walls the one it starts in: plain data, so that it can go to worker threads. */
export interface Wall {
  /** Absolute path. */
  readonly command: string;
  /** What stands before the walled program's own command line. */
  readonly args: readonly string[];
  /** Filter of system calls, which the command reads on `filterFd`, the first file descriptor that is free. */
  readonly filter: Uint8Array;
  readonly filterFd: number;
}

/** Caps that the kernel holds a process to; absent = none. */
export interface KernelCaps {
  /** Data segment, KiB. */
  readonly dataKib?: number;
  /** CPU time of the process, s. */
  readonly cpuSeconds?: number;
  readonly wall?: Wall | null;
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
  const { dataKib, cpuSeconds, wall = null } = caps;
  const steps = [
    FIRST_TO_GO,
    // What a shell adds to the environment by itself.
    "unset PWD OLDPWD SHLVL",
    "ulimit -c 0",
    ...(dataKib === undefined ? [] : [`ulimit -d ${dataKib}`]),
    ...(cpuSeconds === undefined ? [] : [`ulimit -t ${cpuSeconds}`]),
    'exec "$0" "$@"',
  ];
  const shell = ["-c", steps.join("; ")];
  if (wall === null) return spawn("/bin/sh", [...shell, process.execPath, ...args], options);
  const stdio = [...(options.stdio as readonly ("pipe" | "ignore")[]), "pipe" as const];
  const child = spawn("/bin/sh", [...shell, wall.command, ...wall.args, process.execPath, ...args], {
    ...options,
    stdio,
  });
  const filter = child.stdio[wall.filterFd] as Writable;
  filter.on("error", () => undefined);
  filter.end(wall.filter);
  return child;
}
