import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { HostProfile } from "../execution.ts";
import { spawnConfined } from "../spawn-confined.ts";

/** Data segment of a hardened host, in KiB: the kernel's hard cap (below 1 GiB V8 itself does not start reliably). */
const MAX_DATA_KIB = 1_200 * 1024;

const require = createRequire(import.meta.url);

/** What the host may read: the addon and its loader, nothing else. */
function addonAccess(): { readonly cwd: string; readonly allow: readonly string[] } {
  const addon = dirname(require.resolve("isolated-vm/package.json"));
  const loader = dirname(createRequire(join(addon, "package.json")).resolve("node-gyp-build/package.json"));
  const readable = [join(addon, "*"), join(loader, "*"), "/etc/alpine-release"];
  return { cwd: dirname(dirname(addon)), allow: readable.map((place) => `--allow-fs-read=${place}`) };
}

/**
 * Starts a host: permission model on (no network, no processes, no writes), empty environment, and
 * what {@link spawnConfined} says. Standard input takes the program, fd 3 the frames.
 */
export function spawnHost(profile: HostProfile): ChildProcess {
  const { cwd, allow } = addonAccess();
  const hardened = profile === "hardened";
  const flags = [
    "--no-node-snapshot",
    "--no-lazy",
    ...(hardened ? ["--jitless"] : []),
    "--permission",
    "--allow-addons",
    ...allow,
  ];
  const args = [...flags, "--disable-warning=PERM0001", "-"];
  const stdio: ("pipe" | "ignore")[] = ["pipe", "ignore", "pipe", "pipe"];
  return spawnConfined(args, hardened ? { dataKib: MAX_DATA_KIB } : {}, { cwd, env: {}, stdio });
}

/** Resident memory of a process in bytes; what it reported itself where the kernel does not tell. */
export function residentBytes(pid: number, reported: number): number {
  if (process.platform !== "linux") return reported;
  try {
    // In KiB, whatever the size of a page is.
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return found === undefined ? reported : Number(found) * 1024;
  } catch {
    return reported;
  }
}
