import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HostProfile } from "../execution.ts";
import { spawnConfined, type Wall } from "../spawn-confined.ts";
import { addonPlace } from "../wall/addon-place.ts";

/** Data segment of a hardened host, in KiB: the kernel's hard cap (below 1 GiB V8 itself does not start reliably). */
const MAX_DATA_KIB = 1_200 * 1024;

/** How a host is started. */
export interface HostCommand {
  readonly profile: HostProfile;
  /** What stands around it; null for nothing. */
  readonly wall: Wall | null;
  /** More flags of Node; absent = none. */
  readonly flags?: readonly string[];
}

/**
 * Starts a host: permission model on (no network, no processes, no writes), empty environment, and
 * what {@link spawnConfined} says, behind a wall where one is given. Standard input takes the program, fd 3 the frames.
 */
export function spawnHost({ profile, wall, flags: more = [] }: HostCommand): ChildProcess {
  const { cwd, directories } = addonPlace();
  const readable = [...directories.map((directory) => join(directory, "*")), "/etc/alpine-release"];
  const hardened = profile === "hardened";
  const flags = [
    "--no-node-snapshot",
    // What has not run between two collections is compiled again when it runs: an idle script keeps no bytecode.
    "--bytecode-old-age=1",
    ...(hardened ? ["--jitless"] : []),
    "--permission",
    "--allow-addons",
    ...readable.map((place) => `--allow-fs-read=${place}`),
    ...more,
  ];
  const args = [...flags, "--disable-warning=PERM0001", "-"];
  const stdio: ("pipe" | "ignore")[] = ["pipe", "ignore", "pipe", "pipe"];
  const caps = hardened ? { dataKib: MAX_DATA_KIB, wall } : { wall };
  return spawnConfined(args, caps, { cwd, env: {}, stdio });
}

/** Bytes of what a host says on standard error that are passed on: V8's last words, not a flood. */
const MAX_COMPLAINT_BYTES = 64 * 1024;

/** Passes on the beginning of what a host says on standard error. */
export function passComplaints({ stderr }: ChildProcess): void {
  let left = MAX_COMPLAINT_BYTES;
  stderr?.on("data", (data: Buffer) => {
    if (left > 0) process.stderr.write(data.subarray(0, left));
    left -= data.length;
  });
}

/** The process that a wall's command has started, ids from the command's own down to it; a host starts none itself. */
export function innermost(pid: number): number {
  try {
    const child = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ")[0] ?? "";
    return child === "" ? pid : innermost(Number(child));
  } catch {
    return pid;
  }
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
