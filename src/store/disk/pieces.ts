import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { PieceStore } from "../store.ts";
import type { ContentOptions } from "./contents.ts";
import { syncDirectory } from "./sync-directory.ts";

const EXECUTION = /^[0-9a-f-]{36}$/;
const NAME = /^\d+$/;

const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    ({ size }) => size,
    () => null,
  );

async function writeWhole(path: string, bytes: Uint8Array, syncs: boolean): Promise<void> {
  const part = `${path}.part`;
  const file = await open(part, "w", 0o600);
  try {
    await file.writeFile(bytes);
    if (syncs) await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
}

/** Pieces in a directory, one directory for each execution. */
export function createPieces({ directory, durability }: ContentOptions): PieceStore {
  const folderOf = (executionId: string) => {
    if (!EXECUTION.test(executionId)) throw new Error(`not the id of an execution: ${executionId.slice(0, 80)}`);
    return join(directory, executionId);
  };
  const pathOf = (executionId: string, pos: number) => join(folderOf(executionId), String(Math.trunc(pos)));
  const sizes = (executionId: string, positions: readonly number[]) =>
    Promise.all(positions.map((pos) => sizeOf(pathOf(executionId, pos))));
  return {
    sizes,
    async put(executionId, pos, bytes) {
      const folder = folderOf(executionId);
      const made = await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeWhole(pathOf(executionId, pos), bytes, durability === "full");
      if (durability !== "full") return;
      await syncDirectory(folder);
      if (made !== undefined) await syncDirectory(directory);
    },
    async *read(executionId, positions) {
      for (const pos of positions) yield await readFile(pathOf(executionId, pos));
    },
    async total(executionId) {
      const names = await readdir(folderOf(executionId)).catch(() => []);
      const all = await sizes(executionId, names.filter((name) => NAME.test(name)).map(Number));
      return all.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    },
    async executions() {
      const names = await readdir(directory).catch(() => []);
      return names.filter((name) => EXECUTION.test(name));
    },
    async remove(executionId, positions) {
      await Promise.all(positions.map((pos) => rm(pathOf(executionId, pos), { force: true })));
    },
    removeAll: (executionId) => rm(folderOf(executionId), { recursive: true, force: true }),
  };
}
