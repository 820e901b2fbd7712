import type { ChildProcess } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { spawnConfined } from "../../spawn-confined.ts";

const KIB_PER_MIB = 1024;
const main = fileURLToPath(new URL("ingest-main.mjs", import.meta.url));
const cache = fileURLToPath(new URL("../../../node_modules/.cache/weft/", import.meta.url));
const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Memory of the process beside its heap, in MiB: code, threads, buffers on their way. */
const BESIDE_HEAP_MIB = 1_024;

/** What the process needs of the machine. */
export interface IngestPlace {
  readonly source: string;
  /** In a directory that it may write to. */
  readonly target: string;
  readonly memoryMb: number;
}

/**
 * Starts the process of one import: permission model on (reads our code and the source, writes beside the target and, until it begins, Node's cache; no
 * network, no processes), empty environment, memory capped, and what {@link spawnConfined} says.
 */
export function spawnIngest({ source, target, memoryMb }: IngestPlace): ChildProcess {
  const directory = dirname(target);
  const reads = [
    join(root, "runtime/*"),
    join(root, "sandbox/*"),
    join(root, "node_modules/*"),
    join(root, "package.json"),
    source,
  ];
  const args = [
    `--max-old-space-size=${Math.floor(memoryMb * 0.75)}`,
    // Records live as long as their block: with room for one, they are not copied about.
    "--max-semi-space-size=64",
    "--permission",
    "--allow-worker",
    ...[...reads, join(directory, "*")].map((place) => `--allow-fs-read=${place}`),
    `--allow-fs-write=${join(directory, "*")}`,
    // Given up once the code is there.
    `--allow-fs-write=${cache}`,
    "--disable-warning=PERM0001",
    "--disable-warning=SecurityWarning",
    "--disable-warning=ExperimentalWarning",
    main,
  ];
  // SQLite sorts in temporary files when it builds an index.
  const env = { SQLITE_TMPDIR: directory };
  const stdio: ("pipe" | "ignore" | "ipc")[] = ["pipe", "ignore", "pipe", "ipc"];
  const caps = process.platform === "linux" ? { dataKib: (memoryMb + BESIDE_HEAP_MIB) * KIB_PER_MIB } : {};
  return spawnConfined(args, caps, { cwd: directory, env, stdio, serialization: "advanced" });
}
