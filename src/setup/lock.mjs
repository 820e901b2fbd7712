import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as wait } from "node:timers/promises";

const BEAT_MS = 1_000;
/** A lock not touched for this long belongs to a process that died. */
const STALE_MS = 15_000;
const POLL_MS = 250;
/** Longer than it takes to get from "it is stale" to the rename: of several takers the last one wins. */
const SETTLE_MS = 1_000;

/** Runs `work` while no other process holds the lock file; `onWait` is called once if it has to wait. */
export async function withLock(file, onWait, work) {
  const token = `${process.pid} ${hostname()} ${randomUUID()}`;
  let waited = false;
  while (!(await take(file, token))) {
    if (!waited) onWait();
    waited = true;
    await wait(POLL_MS);
  }
  const beat = setInterval(() => touch(file), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if (read(file) === token) rmSync(file, { force: true });
  }
}

async function take(file, token) {
  try {
    writeFileSync(file, token, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  return isStale(file) && (await takeOver(file, token));
}

async function takeOver(file, token) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, token);
  renameSync(own, file);
  await wait(SETTLE_MS);
  return read(file) === token;
}

function isStale(file) {
  try {
    const [pid, host] = readFileSync(file, "utf8").split(" ");
    if (host === hostname() && !isAlive(Number(pid))) return true;
    return Date.now() - statSync(file).mtimeMs > STALE_MS;
  } catch {
    return false;
  }
}

/** Process ids mean nothing across machines and containers that share a directory: there the beat alone decides. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

function touch(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // Another process took the lock over; its own beat counts now.
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
