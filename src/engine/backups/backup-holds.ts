import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../../../runtime/index.ts";
import { HOLD_FILE } from "../../backup/hold-file.ts";
import type { Store } from "../../store/store.ts";

/** A time in which the data directory can be copied: the database's file does not change, and no file is removed. */
export interface BackupHold {
  readonly id: string;
  /** Absolute path. */
  readonly dataDir: string;
  /** Milliseconds since the epoch; it ends by itself then. */
  readonly expiresAt: number;
}

/** Holds for backups, one at a time. Throws WorkflowError; NOT_FOUND for one that ended, CONFLICT while there is one. */
export interface BackupHolds {
  begin(): Promise<BackupHold>;
  renew(id: string): BackupHold;
  end(id: string): Promise<void>;
  /** True while files must stay. */
  isHeld(): boolean;
  close(): Promise<void>;
}

/** How long a hold lasts that nobody renews, ms. */
const HOLD_MS = 60_000;

/** Makes the holds of one data directory. */
export function createBackupHolds(store: Pick<Store, "holdFile">, dataDir: string): BackupHolds {
  const file = join(dataDir, HOLD_FILE);
  let current: BackupHold | null = null;
  let timer: NodeJS.Timeout | null = null;

  const release = async () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    current = null;
    store.holdFile(false);
    await rm(file, { force: true });
  };
  const arm = (id: string): BackupHold => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => void release().catch(() => undefined), HOLD_MS).unref();
    current = { id, dataDir, expiresAt: Date.now() + HOLD_MS };
    return current;
  };
  const check = (id: string) => {
    if (current?.id === id) return;
    throw fail("NOT_FOUND", {
      message: "This backup is not held any more: it took too long between two signs of life.",
    });
  };
  return {
    async begin() {
      if (current !== null) throw fail("CONFLICT", { message: "Another backup of this server is being taken." });
      const hold = arm(randomUUID());
      store.holdFile(true);
      try {
        await writeFile(file, hold.id, { mode: 0o600 });
      } catch (error) {
        await release();
        throw error;
      }
      return hold;
    },
    renew(id) {
      check(id);
      return arm(id);
    },
    async end(id) {
      check(id);
      await release();
    },
    isHeld: () => current !== null,
    async close() {
      if (current !== null) await release();
    },
  };
}
