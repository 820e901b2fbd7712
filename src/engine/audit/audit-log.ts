import type { AuditEntry, Store } from "../../store/store.ts";

/** How often old entries are looked for. */
const CLEAN_MS = 3_600_000;
/** Entries removed per transaction. */
const PORTION = 1_000;

/** Who managed what, when and from where. */
export interface AuditLog {
  /** Resolves once the entry is on the disk. */
  add(entry: Omit<AuditEntry, "at">): Promise<void>;
  /** Those after number `after`, the oldest first; `accountId` null = of all accounts. */
  list(params: {
    readonly accountId: string | null;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly (AuditEntry & { readonly seq: number })[]>;
}

/** What the log is made from. */
export interface AuditParts {
  readonly store: Pick<Store, "addAudit" | "listAudit" | "removeAudit">;
  /** How long entries are kept, in milliseconds. */
  readonly maxAgeMs: number;
  report(error: unknown): void;
  now(): number;
}

/** Makes the log; entries that are too old are removed while new ones come. */
export function createAuditLog({ store, maxAgeMs, report, now }: AuditParts): AuditLog {
  let cleanedAt = Number.NEGATIVE_INFINITY;
  const clean = async () => {
    while ((await store.removeAudit({ before: now() - maxAgeMs, limit: PORTION })) === PORTION);
  };
  return {
    async add(entry) {
      const at = now();
      await store.addAudit({ entry: { ...entry, at } });
      if (Math.abs(at - cleanedAt) < CLEAN_MS) return;
      cleanedAt = at;
      clean().catch(report);
    },
    list: (params) => store.listAudit(params),
  };
}
