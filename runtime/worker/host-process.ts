import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { FROM_HOST, type StartFacts, TO_HOST } from "../../sandbox/wire.ts";
import type { ErrorCode } from "../errors.ts";
import type { HostProfile } from "../execution.ts";
import { createFrameWriter, readFrames } from "../host/frames.ts";

/** What a host tells the run it is working on. */
export interface RunListener {
  op(pos: number, name: string, args: string): void;
  drop(pos: number): void;
  chunk(index: number, type: string, content: string, text: boolean): void;
  log(index: number, level: string, message: string, fields: string): void;
  done(reads: number, output: string): void;
  failed(frozenComplaint: boolean, record: string): void;
  /** One turn has returned; `cpuMs` is the run's total so far. */
  turn(cpuMs: number): void;
  /** The run's isolate or process is gone. `sure`: this run is why; `suspect`: it may be. */
  lost(end: { readonly sure: boolean; readonly suspect: boolean; readonly code: ErrorCode }): void;
}

/** One run in a host. */
export interface HostRun {
  deliver(kind: string, pos: number, now: number, payload: string): void;
  abort(now: number, reason: string): void;
  /** `finished`: the guest itself reported its end. */
  close(finished: boolean): void;
  /** Deliveries whose turn has not returned yet. */
  openTurns(): number;
}

/** A started host process. */
export interface HostProcess {
  readonly pid: number;
  readonly profile: HostProfile;
  readonly ready: Promise<void>;
  run(facts: StartFacts, texts: { data: string; secrets: string }, listener: RunListener): HostRun;
  /** Number of runs in it. */
  running(): number;
  residentBytes(): number;
  alive(): boolean;
  kill(): void;
}

/** What a host process needs from its owner. */
export interface HostOptions {
  readonly profile: HostProfile;
  readonly source: string;
  readonly loadBundle: (hash: string) => Promise<string | null>;
  /** Called once, when the process is gone; `asked` when its owner killed it. */
  readonly onExit: (asked: boolean) => void;
}

const HEARTBEAT_TIMEOUT_MS = 3_000;
const WATCH_MS = 100;
const MIB = 1024 * 1024;
/** Resident memory over which a host is replaced. */
const MAX_RESIDENT_BYTES = 1_600 * MIB;
/** Data segment of a hardened host: the hard cap of the kernel, in KiB for ulimit. */
const MAX_DATA_KIB = 1_200 * 1024;

const require = createRequire(import.meta.url);

/** Directories the host may read: the addon, its loader, nothing else. */
function readableForAddon(): { cwd: string; args: string[] } {
  const addon = dirname(require.resolve("isolated-vm/package.json"));
  const loader = dirname(createRequire(join(addon, "package.json")).resolve("node-gyp-build/package.json"));
  const cwd = dirname(dirname(addon));
  const readable = [join(addon, "*"), join(loader, "*"), "/etc/alpine-release"];
  return { cwd, args: readable.map((place) => `--allow-fs-read=${place}`) };
}

function spawnHost(profile: HostProfile): ChildProcess {
  const { cwd, args } = readableForAddon();
  const jit = profile === "hardened" ? ["--jitless"] : [];
  const cap = profile === "hardened" ? `ulimit -d ${MAX_DATA_KIB};` : "";
  const node = [
    "--no-node-snapshot",
    ...jit,
    "--permission",
    "--allow-addons",
    ...args,
    "--disable-warning=PERM0001",
    "-",
  ];
  const script = `ulimit -c 0;${cap} exec "$0" "$@"`;
  const options = { cwd, env: {}, stdio: ["pipe", "ignore", "pipe", "pipe"] as ("pipe" | "ignore")[], detached: true };
  if (process.platform === "win32") return spawn(process.execPath, node, options);
  return spawn("/bin/sh", ["-c", script, process.execPath, ...node], options);
}

function residentOf(pid: number, reported: number): number {
  if (process.platform !== "linux") return reported;
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * 4096;
  } catch {
    return reported;
  }
}

interface Entry {
  readonly listener: RunListener;
  open: number;
}

/** Starts a host process and watches it. */
export function startHost(options: HostOptions): HostProcess {
  const child = spawnHost(options.profile);
  const socket = child.stdio[3] as Socket;
  const out = createFrameWriter(socket);
  const entries = new Map<number, Entry>();
  let nextRun = 1;
  let alive = true;
  let asked = false;
  let reported = 0;
  let lastSeen = performance.now();
  let blame: { run: number; code: ErrorCode } | null = null;
  let hung: ErrorCode = "MEMORY_LIMIT_EXCEEDED";
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  const pid = child.pid ?? 0;

  const kill = () => {
    if (alive && pid > 0) child.kill("SIGKILL");
  };
  const condemn = (code: ErrorCode) => {
    hung = code;
    kill();
  };

  const watch = setInterval(() => {
    if (performance.now() - lastSeen > HEARTBEAT_TIMEOUT_MS) condemn("CPU_LIMIT_EXCEEDED");
    else if (residentOf(pid, reported) > MAX_RESIDENT_BYTES) condemn("MEMORY_LIMIT_EXCEEDED");
  }, WATCH_MS);

  const gone = () => {
    if (!alive) return;
    alive = false;
    clearInterval(watch);
    ready.reject(new Error("The host process ended before it was ready."));
    const open = [...entries.values()].filter((entry) => entry.open > 0).length;
    const crashed = !asked && blame === null && hung === "MEMORY_LIMIT_EXCEEDED" && child.signalCode !== "SIGKILL";
    const list = [...entries];
    entries.clear();
    for (const [id, entry] of list) {
      if (blame !== null) entry.listener.lost({ sure: id === blame.run, suspect: false, code: blame.code });
      else
        entry.listener.lost({
          sure: crashed && open === 1 && entry.open > 0,
          suspect: !asked && entry.open > 0,
          code: hung,
        });
    }
    options.onExit(asked);
  };
  child.on("exit", gone);
  child.on("error", gone);
  child.stderr?.on("data", (data: Buffer) => process.stderr.write(data));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.source);
  socket.on("error", () => undefined);
  socket.unref();

  const lose = (id: number, sure: boolean, suspect: boolean, code: ErrorCode) => {
    const entry = entries.get(id);
    entries.delete(id);
    entry?.listener.lost({ sure, suspect, code });
  };

  const died = (f: string[]) => {
    const code = f[2] as ErrorCode;
    lose(Number(f[1]), f[3] === "1", true, code);
    for (const id of (f[4] ?? "").split(",")) if (id !== "") lose(Number(id), false, false, code);
  };

  const need = async (hash: string) => {
    const code = await options.loadBundle(hash);
    if (code !== null) out.write(`${TO_HOST.bundle}\t${hash}\t${JSON.stringify(code)}`);
  };

  const system = (f: string[]) => {
    if (f[0] === FROM_HOST.heartbeat) reported = Number(f[1]);
    else if (f[0] === FROM_HOST.ready) ready.resolve();
    else if (f[0] === FROM_HOST.need) need(f[1] as string);
    else if (f[0] === FROM_HOST.died) died(f);
    else if (f[0] === FROM_HOST.poisoned && blame === null) {
      blame = { run: Number(f[1]), code: f[2] as ErrorCode };
      kill();
    }
  };

  const report = (entry: Entry, f: string[]) => {
    const n = Number(f[2]);
    const { listener } = entry;
    switch (f[0]) {
      case FROM_HOST.op:
        return listener.op(n, f[3] as string, f[4] as string);
      case FROM_HOST.drop:
        return listener.drop(n);
      case FROM_HOST.chunk:
        return listener.chunk(n, f[3] as string, f[4] as string, f[5] === "1");
      case FROM_HOST.log:
        return listener.log(n, f[3] as string, f[4] as string, f[5] as string);
      case FROM_HOST.done:
        return listener.done(n, f[3] as string);
      case FROM_HOST.failed:
        return listener.failed(n === 1, f[3] as string);
      case FROM_HOST.turn:
        entry.open--;
        return listener.turn(n / 1_000);
      default:
        return undefined;
    }
  };

  readFrames(socket, (f) => {
    lastSeen = performance.now();
    const entry = f[1] === undefined ? undefined : entries.get(Number(f[1]));
    const kind = f[0] as string;
    if ("RNdxh".includes(kind)) system(f);
    else if (entry !== undefined) report(entry, f);
  });

  return {
    pid,
    profile: options.profile,
    ready: ready.promise,
    run(facts, texts, listener) {
      const id = nextRun++;
      const entry: Entry = { listener, open: 1 };
      entries.set(id, entry);
      out.write(`${TO_HOST.start}\t${id}\t${JSON.stringify(facts)}\t${texts.data}\t${texts.secrets}`);
      const send = (frame: string) => {
        if (!entries.has(id)) return;
        entry.open++;
        out.write(frame);
      };
      return {
        deliver: (kind, pos, now, payload) => send(`${TO_HOST.deliver}\t${id}\t${pos}\t${kind}\t${now}\t${payload}`),
        abort: (now, reason) => send(`${TO_HOST.abort}\t${id}\t${now}\t${reason}`),
        close(finished) {
          if (!entries.delete(id)) return;
          out.write(`${TO_HOST.close}\t${id}\t${finished ? 1 : 0}`);
        },
        openTurns: () => entry.open,
      };
    },
    running: () => entries.size,
    residentBytes: () => residentOf(pid, reported),
    alive: () => alive,
    kill() {
      asked = true;
      kill();
    },
  };
}
