import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CpuProfile, readCpuProfile, readTickLog, type ThreadProfile, type TickLog } from "./cpu-profile.ts";

const run = promisify(execFile);
const HOST_LOG = /^host-\d+\.log$/;
/** Functions that are named of a thread. */
const SHOWN = 12;
/** Threads that were busy for less are left out, ms. */
const MIN_BUSY_MS = 50;
const MAX_LOG_BYTES = 512 * 2 ** 20;

/** Settings of a server whose hosts write what takes their time into `directory`. */
export function hostProfileEnv(directory: string): Readonly<Record<string, string>> {
  // One log per process: threads of isolates are not sampled, what the main thread does for them is.
  const flags = ["--prof", `--logfile=${join(directory, "host-%p.log")}`, "--no-logfile-per-isolate"];
  return { WEFT_HOST_FLAGS: flags.join(",") };
}

/** An empty directory for profiles. */
export async function emptyProfileDir(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
}

/** The log of a host as JSON, beside it: the machine code of libraries has names in it, too. */
async function digestLog(directory: string, name: string): Promise<string> {
  const args = ["--prof-process", "--preprocess", join(directory, name)];
  const { stdout } = await run(process.execPath, args, { maxBuffer: MAX_LOG_BYTES });
  const digest = name.replace(/\.log$/, ".v8log.json");
  await writeFile(join(directory, digest), stdout);
  return digest;
}

async function readProfile(directory: string, name: string): Promise<ThreadProfile> {
  const parsed: unknown = JSON.parse(await readFile(join(directory, name), "utf8"));
  return name.endsWith(".cpuprofile")
    ? readCpuProfile(name, parsed as CpuProfile)
    : readTickLog(name, parsed as TickLog);
}

/** A page beside each profile that opens it as a flame graph in speedscope, from the disk alone. */
async function writeFlameGraph(directory: string, name: string): Promise<void> {
  const content = (await readFile(join(directory, name))).toString("base64");
  const script = `speedscope.loadFileFromBase64(${JSON.stringify(name)}, ${JSON.stringify(content)})`;
  const scriptFile = join(directory, "speedscope", `${name}.js`);
  await writeFile(scriptFile, script);
  const target = `speedscope/index.html#localProfilePath=${encodeURIComponent(scriptFile).replaceAll("%2F", "/")}`;
  const page = `<!doctype html><meta charset="utf-8"><title>${name}</title><script>location.replace(${JSON.stringify(target)})</script>`;
  await writeFile(join(directory, `${name}.html`), page);
}

function toLines({ file, busyMs, costs }: ThreadProfile): readonly string[] {
  const shown = costs
    .slice(0, SHOWN)
    .map(
      ({ name, ms, share }) =>
        `${`${(share * 100).toFixed(1)} %`.padStart(8)} ${ms.toFixed(0).padStart(7)} ms  ${name}`,
    );
  return ["", `${file}: busy for ${busyMs.toFixed(0)} ms`, ...shown];
}

/** Makes flame graphs of the profiles in a directory; returns lines on where the busy threads spent their time. */
export async function reportProfiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  const digests: string[] = [];
  for (const name of names.filter((one) => HOST_LOG.test(one))) digests.push(await digestLog(directory, name));
  const files = [...names.filter((name) => name.endsWith(".cpuprofile")), ...digests];
  const release = join(dirname(fileURLToPath(import.meta.resolve("speedscope/package.json"))), "dist", "release");
  await cp(release, join(directory, "speedscope"), { recursive: true });
  const profiles: ThreadProfile[] = [];
  for (const name of files) {
    profiles.push(await readProfile(directory, name));
    await writeFlameGraph(directory, name);
  }
  const busy = profiles.filter(({ busyMs }) => busyMs >= MIN_BUSY_MS).sort((one, other) => other.busyMs - one.busyMs);
  return [...busy.flatMap(toLines), "", "Flame graphs: open the .html files beside the profiles in a browser."];
}
