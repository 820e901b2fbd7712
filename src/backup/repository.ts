import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../../runtime/index.ts";
import { type Chunks, openChunks } from "./chunks.ts";
import { Generations } from "./manifest.ts";

/** A directory of backups. */
export interface Repository {
  readonly chunks: Chunks;
  readonly generations: Generations;
  /** For files that are made on the way; empty at first. */
  readonly temporary: string;
  /** Forgets all but the newest `keep` backups and what only they used; returns how many were forgotten. */
  forget(keep: number): Promise<number>;
  /** Gives the directory free for others. */
  close(): Promise<void>;
}

const LOCK = "lock";

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

/** False when somebody has it. */
async function tryLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function lock(path: string): Promise<void> {
  if (await tryLock(path)) return;
  const pid = Number(await readFile(path, "utf8").catch(() => "0"));
  if (pid > 0 && !isAlive(pid)) {
    // Left behind by one that was killed.
    await rm(path, { force: true });
    if (await tryLock(path)) return;
  }
  const message = `Another weft${pid > 0 ? ` (process ${pid})` : ""} writes to this directory of backups; if there is none, remove ${path}.`;
  throw fail("CONFLICT", { message });
}

/** Opens a directory of backups for writing; it is made when it is missing. CONFLICT while another process does. */
export async function openRepository(directory: string): Promise<Repository> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const lockFile = join(directory, LOCK);
  await lock(lockFile);
  const temporary = join(directory, "temporary");
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { mode: 0o700 });
  const { chunks, generations } = await readRepository(directory);
  return {
    chunks,
    generations,
    temporary,
    async forget(keep) {
      const old = (await generations.list()).slice(keep);
      for (const name of old) await generations.remove(name);
      const used = new Set<string>();
      for (const name of await generations.list()) {
        for (const file of (await generations.read(name)).files) for (const hash of file.chunks) used.add(hash);
      }
      await chunks.prune(used);
      return old.length;
    },
    async close() {
      await rm(temporary, { recursive: true, force: true });
      await rm(lockFile, { force: true });
    },
  };
}

/** A directory of backups for reading. */
export async function readRepository(directory: string): Promise<Pick<Repository, "chunks" | "generations">> {
  const temporary = join(directory, "temporary");
  return {
    chunks: await openChunks(join(directory, "chunks"), temporary),
    generations: new Generations(join(directory, "generations"), temporary),
  };
}
