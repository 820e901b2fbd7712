import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { spawnConfined } from "../spawn-confined.ts";
import { UNTIMED } from "./operations.ts";
import type { QueryHello } from "./query-process.ts";

/** Data segment of a Node process before it does anything, rounded up, in MiB. */
const NODE_DATA_MB = 700;
/** CPU time after which an idle process is replaced, in ms. */
export const RECYCLE_CPU_MS = 20_000;

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Node's permission model: its own code and its cache to start with, see query-process.ts; no network, no processes. */
function permissions(): readonly string[] {
  const cache = path("../../node_modules/.cache/weft/");
  const readable = [path("../"), path("../../package.json"), path("../../sandbox/"), cache];
  return ["--permission", ...readable.map((place) => `--allow-fs-read=${place}`), `--allow-fs-write=${cache}`];
}

/**
 * Starts a query process: empty environment, memory and (so that SQL without end does not outlive a
 * server that was killed) CPU time capped by the kernel, and what {@link spawnConfined} says. Frames travel on fd 3.
 */
export function spawnQueryProcess(hello: QueryHello, temporary: string): ChildProcess {
  const { lane, limits } = hello;
  const guarded = lane === "query" || lane === "read";
  const heap = Math.max(64, Math.min(256, limits.datastoreMemoryMb));
  const flags = [`--max-old-space-size=${heap}`, ...(guarded ? permissions() : [])];
  const args = [...flags, path("./query-main.mjs"), JSON.stringify(hello)];
  const env = { TZ: "UTC", SQLITE_TMPDIR: temporary };
  const stdio: ("ignore" | "pipe")[] = ["ignore", "ignore", "ignore", "pipe"];
  const memory = process.platform === "linux" ? { dataKib: (NODE_DATA_MB + limits.datastoreMemoryMb) * 1024 } : {};
  const seconds = Math.ceil((RECYCLE_CPU_MS + 2 * limits.datastoreMs) / 1_000) + 10;
  const cpu = UNTIMED.has(lane) ? {} : { cpuSeconds: seconds };
  return spawnConfined(args, { ...memory, ...cpu }, { env, stdio });
}
