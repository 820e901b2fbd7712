import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PieceStore } from "../store.ts";

const EXECUTION = /^[0-9a-f-]{36}$/;

/** Pieces in a directory, one directory for each execution. */
export function createPieces(directory: string): PieceStore {
  const folderOf = (executionId: string) => {
    if (!EXECUTION.test(executionId)) throw new Error(`not the id of an execution: ${executionId.slice(0, 80)}`);
    return join(directory, executionId);
  };
  const pathOf = (executionId: string, pos: number) => join(folderOf(executionId), String(Math.trunc(pos)));
  return {
    async put(executionId, pos, bytes) {
      await mkdir(folderOf(executionId), { recursive: true, mode: 0o700 });
      await writeFile(pathOf(executionId, pos), bytes, { mode: 0o600 });
    },
    async *read(executionId, positions) {
      for (const pos of positions) yield await readFile(pathOf(executionId, pos));
    },
    async remove(executionId, positions) {
      for (const pos of positions) await rm(pathOf(executionId, pos), { force: true });
    },
    removeAll: (executionId) => rm(folderOf(executionId), { recursive: true, force: true }),
    clear: () => rm(directory, { recursive: true, force: true }),
  };
}
