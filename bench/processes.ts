import { readdirSync, readFileSync } from "node:fs";

function readText(path: string): string {
  // A process may end between the listing and the reading.
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The process and all its descendants that live now. */
export function processTree(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // The name in parentheses may contain anything, the parent is the second field after it.
    const stat = readText(`/proc/${name}/stat`);
    const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const tree = [pid];
  for (const member of tree) {
    for (const [child, parent] of parents) if (parent === member) tree.push(child);
  }
  return tree;
}

function rssMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`))?.[1];
  return Number(kib ?? 0) / 1024;
}

/** Resident memory of a process and its descendants, MiB; pages that they share count once for each. */
export function residentMib(pid: number): number {
  return processTree(pid).reduce((sum, member) => sum + rssMib(member), 0);
}

/** The same in proportional shares (a page that n processes share counts 1/n for each), MiB. */
export function proportionalMib(pid: number): number {
  const shares = processTree(pid).map((member) => {
    const kib = /^Pss:\s+(\d+) kB$/m.exec(readText(`/proc/${member}/smaps_rollup`))?.[1];
    return Number(kib ?? 0) / 1024;
  });
  return shares.reduce((sum, share) => sum + share, 0);
}

/** Clock ticks per second of /proc, the same on every Linux. */
const TICKS = 100;

/** CPU time that a process and its descendants have used so far, all threads, ms. */
export function cpuMs(pid: number): number {
  const ticks = processTree(pid).map((member) => {
    const fields = readText(`/proc/${member}/stat`)
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return (ticks.reduce((sum, own) => sum + own, 0) * 1_000) / TICKS;
}

/** The highest resident memory of a process tree while `work` runs, MiB, sampled every 50 ms. */
export async function peakMib(pid: number, work: () => Promise<void>): Promise<number> {
  let peak = residentMib(pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMib(pid));
  }, 50);
  try {
    await work();
    return Math.max(peak, residentMib(pid));
  } finally {
    clearInterval(timer);
  }
}
