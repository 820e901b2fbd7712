import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Chunk } from "../../runtime/execution.ts";
import { createSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Balance, Execution, ExecutionPage, ListPosition } from "../../src/store/store.ts";
import { makeDataDir } from "../support/data-dir.ts";

/** One execution as the file of a server that is down has it. */
export interface StoredExecution {
  readonly execution: Execution;
  readonly chunks: readonly Chunk[];
  /** Idempotency keys of the ops that are finished in the journal. */
  readonly finished: readonly string[];
  /** Where its budget stands; null when it has none. */
  readonly balance: Balance | null;
}

const PAGE = 500;

/** Reads every execution from a copy of the store in `dataDir`; its server must be down. */
export async function readSnapshot(dataDir: string): Promise<readonly StoredExecution[]> {
  const copy = await makeDataDir();
  await mkdir(copy.path, { recursive: true });
  for (const name of ["weft.db", "weft.db-wal"]) {
    await copyFile(join(dataDir, name), join(copy.path, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  const store = await createSqliteStore({ file: join(copy.path, "weft.db"), durability: "relaxed" });
  try {
    const { id: accountId } = await store.ownerAccount();
    const stored: StoredExecution[] = [];
    for (let after: ListPosition | null = null; ; ) {
      const page: ExecutionPage = await store.listExecutions({ accountId, filter: {}, limit: PAGE, offset: 0, after });
      const { items, next } = page;
      for (const { id: executionId } of items) {
        const execution = await store.findExecution({ accountId, executionId });
        if (execution === null) continue;
        const journal = await store.readJournal({ executionId });
        const chunks = await store.readChunks({ executionId, from: 0, limit: 10_000 });
        const balance = await store.readBalance({ accountId, executionId });
        const done = journal.filter(({ kind }) => kind !== "part");
        stored.push({ execution, chunks, balance, finished: done.map(({ pos }) => `${executionId}:${pos}`) });
      }
      if (next === null) return stored;
      after = next;
    }
  } finally {
    await store.close();
    await copy.remove();
  }
}
