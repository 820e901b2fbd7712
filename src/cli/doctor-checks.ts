import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, open, readFile, rm, stat, statfs } from "node:fs/promises";
import { createConnection } from "node:net";
import { totalmem } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { SCHEMA_VERSION } from "../backup/versions.ts";
import type { Settings } from "../config.ts";
import { loadSealKeys, readGivenKeys, SEAL_KEY_FILE } from "../seal-key.ts";

/** What one check found. */
export interface Finding {
  readonly name: string;
  readonly state: "ok" | "warning" | "problem";
  /** What was seen, and what to do where something is wrong. */
  readonly text: string;
}

/** One thing to look at; null where it cannot be seen. */
export type Check = (settings: Settings) => Promise<Finding | null>;

const MIB = 1024 * 1024;
/** Descriptors that many open calls need: one each, and one per upstream connection. */
const ENOUGH_FILES = 4_096;
const OLDEST_SANE_YEAR = 2025;

const finding = (name: string, state: Finding["state"], text: string): Finding => ({ name, state, text });
const run = promisify(execFile);

const checkNode: Check = async () => {
  const major = Number(process.versions.node.split(".")[0]);
  if (major >= 26) return finding("node", "ok", process.version);
  return finding(
    "node",
    "problem",
    `${process.version}: Weft runs on Node 26; start it with npm start or npm run weft.`,
  );
};

async function modeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ mode }) => mode & 0o777,
    () => null,
  );
}

const checkDirectory: Check = async ({ dataDir }) => {
  const mode = await modeOf(dataDir);
  if (mode === null) return finding("data directory", "ok", `${dataDir} is not there yet; the first start makes it.`);
  const probe = join(dataDir, `doctor-${process.pid}`);
  try {
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    const file = await open(probe, "wx", 0o600);
    await file
      .writeFile("probe")
      .then(() => file.sync())
      .finally(() => file.close());
  } catch (error) {
    return finding("data directory", "problem", `${dataDir} cannot be written: ${(error as Error).message}`);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
  if ((mode & 0o077) === 0) return finding("data directory", "ok", `${dataDir}, written and flushed`);
  const text = `${dataDir} is open to other users (mode ${mode.toString(8)}); run: chmod 700 ${dataDir}`;
  return finding("data directory", "warning", text);
};

const checkDisk: Check = async ({ dataDir, minFreeDiskMb }) => {
  const found = await statfs(dataDir).catch(() => statfs("."));
  const freeMb = Math.floor((found.bavail * found.bsize) / MIB);
  const text = `${freeMb} MiB free`;
  if (freeMb >= 2 * minFreeDiskMb) return finding("disk", "ok", text);
  return finding(
    "disk",
    freeMb < minFreeDiskMb ? "problem" : "warning",
    `${text}; imports stop under ${minFreeDiskMb} (WEFT_MIN_FREE_DISK_MB).`,
  );
};

function lookInto(file: string): Finding {
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (version > SCHEMA_VERSION)
      return finding(
        "database",
        "problem",
        `schema version ${version}, this Weft knows ${SCHEMA_VERSION}: start a newer Weft.`,
      );
    const result = String(db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
    if (result !== "ok") return finding("database", "problem", `damaged: ${result}. Restore a backup: weft restore`);
    const old =
      version < SCHEMA_VERSION ? `; the next start brings it from schema ${version} to ${SCHEMA_VERSION}` : "";
    return finding("database", "ok", `whole, schema version ${version}${old}`);
  } finally {
    db.close();
  }
}

const checkDatabase: Check = async ({ dataDir }) => {
  const file = join(dataDir, "weft.db");
  if ((await modeOf(file)) === null) return finding("database", "ok", "not there yet; the first start makes it.");
  try {
    return lookInto(file);
  } catch (error) {
    const isLocked = (error as { readonly errcode?: number }).errcode === 5;
    if (isLocked) return finding("database", "ok", "in use by a running server; stop it to have it checked");
    return finding("database", "problem", `${file} cannot be read: ${(error as Error).message}`);
  }
};

type KeySettings = Pick<Settings, "secretsKey" | "secretsKeyFile">;

async function checkKeys(dataDir: string, settings: KeySettings, path: string): Promise<Finding> {
  try {
    const given = await readGivenKeys(settings);
    const { length } = await loadSealKeys(dataDir, given);
    const where = given?.where ?? path;
    const former = length > 1 ? `, ${length - 1} former: remove them once the server was started with the first` : "";
    return finding("seal key", "ok", `${where}${former}`);
  } catch (error) {
    return finding("seal key", "problem", (error as Error).message);
  }
}

const checkKey: Check = async ({ dataDir, secretsKey, secretsKeyFile }) => {
  const settings = { secretsKey, secretsKeyFile };
  const path = join(dataDir, SEAL_KEY_FILE);
  if (secretsKey !== null || secretsKeyFile !== null) return checkKeys(dataDir, settings, path);
  const mode = await modeOf(path);
  if (mode === null) {
    const isNew = (await modeOf(join(dataDir, "weft.db"))) === null;
    const text =
      "secrets.key is missing: without it a start is refused where secrets are stored. Restore it from a backup.";
    return isNew
      ? finding("seal key", "ok", "not there yet; the first start makes it.")
      : finding("seal key", "problem", text);
  }
  const found = await checkKeys(dataDir, settings, path);
  if (found.state === "problem" || (mode & 0o077) === 0) return found;
  return finding("seal key", "warning", `${path} is open to other users; run: chmod 600 ${path}`);
};

function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: 2_000 });
    const done = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket
      .once("connect", () => done(true))
      .once("error", () => done(false))
      .once("timeout", () => done(false));
  });
}

const checkPort: Check = async ({ host, port }) => {
  const at = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  if (port === 0 || !(await isTaken(at, port))) return finding("port", "ok", `${host}:${port} is free`);
  const signal = AbortSignal.timeout(5_000);
  const ready = await fetch(`http://${at}:${port}/readyz`, { signal }).catch(() => null);
  if (ready?.ok === true) return finding("port", "ok", `a Weft server answers at ${host}:${port} and is ready`);
  if (ready?.status === 503) return finding("port", "warning", `a server answers at ${host}:${port} and is not ready`);
  return finding("port", "problem", `another program uses ${host}:${port}; choose another with WEFT_PORT.`);
};

const checkOpenFiles: Check = async () => {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => null);
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? "")?.[1];
  if (soft === undefined) return null;
  const isEnough = soft === "unlimited" || Number(soft) >= ENOUGH_FILES;
  const more = isEnough ? "" : `; many open calls need more: ulimit -n ${ENOUGH_FILES}`;
  return finding("open files", isEnough ? "ok" : "warning", `at most ${soft}${more}`);
};

async function memoryLimit(): Promise<number> {
  const text = await readFile("/sys/fs/cgroup/memory.max", "utf8").catch(() => "max");
  const bytes = Number(text.trim());
  return Number.isFinite(bytes) && bytes > 0 ? Math.min(bytes, totalmem()) : totalmem();
}

const checkMemory: Check = async ({ workers, limits }) => {
  const haveMb = Math.floor((await memoryLimit()) / MIB);
  const needMb = 512 + workers * (256 + limits.memoryMb);
  const text = `${haveMb} MiB for ${workers} workers of up to ${limits.memoryMb} MiB per script`;
  if (haveMb >= needMb) return finding("memory", "ok", text);
  return finding("memory", "warning", `${text}; ${needMb} MiB or fewer WEFT_WORKERS would be safer.`);
};

const checkConfinement: Check = async () => {
  if (process.platform !== "linux")
    return finding(
      "confinement",
      "warning",
      `${process.platform} has no memory caps by the kernel; run hostile scripts on Linux.`,
    );
  const tools = await run("sh", ["-c", "ulimit -d 1000000 && echo ok"]).catch(() => null);
  if (tools?.stdout.trim() === "ok") return finding("confinement", "ok", "the kernel caps the memory of hosts");
  return finding("confinement", "problem", "sh cannot set ulimit -d: hosts would have no memory cap.");
};

const checkClock: Check = async () => {
  const year = new Date().getUTCFullYear();
  if (year >= OLDEST_SANE_YEAR) return finding("clock", "ok", new Date().toISOString());
  return finding("clock", "problem", `the clock says ${year}: schedules, expiry and signed links need the right time.`);
};

/** Every check that needs no sandbox, in the order of the report. */
export const CHECKS: readonly Check[] = [
  checkNode,
  checkDirectory,
  checkDisk,
  checkDatabase,
  checkKey,
  checkPort,
  checkOpenFiles,
  checkMemory,
  checkConfinement,
  checkClock,
];
