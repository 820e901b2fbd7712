import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { text } from "node:stream/consumers";
import { fail } from "../errors.ts";
import { spawnConfined, type Wall } from "../spawn-confined.ts";
import { addonPlace } from "./addon-place.ts";
import { seccompFilter } from "./seccomp.ts";

/** What stands around host processes besides Node's own permission model. */
export type HostWall = "none" | "bwrap";

const COMMAND = "bwrap";
/** Nobody: the number that no file belongs to. */
const NOBODY = "65534";
/** File descriptor on which bubblewrap reads the filter; the frames of a host travel on 3. */
const FILTER_FD = 4;

/** The program, where PATH has it. */
function findCommand(path: string): string | null {
  for (const directory of path.split(delimiter)) {
    const file = join(directory, COMMAND);
    try {
      accessSync(file, constants.X_OK);
      if (isAbsolute(file)) return file;
    } catch {
      // Not in this one.
    }
  }
  return null;
}

/** The libraries that this program has loaded, as its loader found them, those of add-ons apart. */
function libraries(): readonly string[] {
  // Or it would look for the names of this machine's addresses.
  const report = Object.assign(process.report, { excludeNetwork: true });
  const { sharedObjects } = report.getReport() as unknown as { readonly sharedObjects: readonly string[] };
  return sharedObjects.filter((path) => path.startsWith("/") && !path.includes("/node_modules/"));
}

/** A machine of its own: no network, nobody else in it, Node and its add-on for reading only, and no longer there than its parent. */
function toWall(command: string, filter: Uint8Array): Wall {
  const { cwd, directories } = addonPlace();
  const visible = new Set([process.execPath, ...libraries(), ...directories]);
  const args = [
    ...["--unshare-user", "--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    ...["--uid", NOBODY, "--gid", NOBODY, "--hostname", "weft", "--cap-drop", "ALL", "--clearenv"],
    ...["--die-with-parent", "--new-session", "--seccomp", String(FILTER_FD)],
    ...[...visible].flatMap((path) => ["--ro-bind", path, path]),
    ...["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/", "--chdir", cwd, "--"],
  ];
  return { command, args, filter, filterFd: FILTER_FD };
}

const refusal = (why: string) =>
  fail("INVALID_REQUEST", { message: `WEFT_HOST_WALL=bwrap: ${why}`, setting: "WEFT_HOST_WALL", value: "bwrap" });

/** Starts Node behind the wall once; throws what keeps it from standing. */
async function tryWall(wall: Wall): Promise<void> {
  const child = spawnConfined(["--version"], { wall }, { env: {}, stdio: ["ignore", "ignore", "pipe", "ignore"] });
  const said = child.stderr === null ? Promise.resolve("") : text(child.stderr);
  const [status] = (await once(child, "close")) as [number | null];
  if (status === 0) return;
  const why = (await said).trim().split("\n")[0] || `it ended with ${status}`;
  throw refusal(`bubblewrap cannot wall a process in here (${why}); it needs unprivileged user namespaces`);
}

/** The wall that a setting asks for, proven to stand; null for none. Throws INVALID_REQUEST where it cannot: hosts are never started without it instead. */
export async function raiseWall(setting: HostWall, path = process.env["PATH"] ?? ""): Promise<Wall | null> {
  if (setting === "none") return null;
  if (process.platform !== "linux") throw refusal("bubblewrap exists on Linux only");
  const filter = seccompFilter(process.arch);
  if (filter === null) throw refusal(`there is no filter of system calls for ${process.arch}`);
  const command = findCommand(path);
  if (command === null) throw refusal("bubblewrap is not installed: PATH has no bwrap (apt-get install bubblewrap)");
  const wall = toWall(command, filter);
  await tryWall(wall);
  return wall;
}
