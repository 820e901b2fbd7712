import { readdirSync, readFileSync } from "node:fs";

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process or thread has just ended.
    return "";
  }
}

function childrenOf(pid: number): readonly number[] {
  let threads: readonly string[] = [];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const children = threads.flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(" "));
  return children.filter((text) => text.trim() !== "").map(Number);
}

/** Ids of the host processes that the server process `pid` has now (Linux). */
export function hostsOf(pid: number): readonly number[] {
  return childrenOf(pid).filter((child) => read(`/proc/${child}/cmdline`).includes("--permission"));
}

/** Ids of the esbuild processes that process `pid` has now (Linux). */
export function esbuildsOf(pid: number): readonly number[] {
  return childrenOf(pid).filter((child) => read(`/proc/${child}/cmdline`).includes("--service="));
}

/** True while the process exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  return stat !== "" && !/\) Z /.test(stat);
}

/** Kills a process that may be gone already. */
export function killHard(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}
