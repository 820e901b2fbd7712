import { fail } from "../../../runtime/index.ts";
import type { Shortage } from "../../store/store.ts";
import type { Parts } from "../parts.ts";
import { toAddition } from "./amounts.ts";
import type { BudgetService, ShownPool } from "./budget-service.ts";

async function checkKeys(names: readonly string[], accountId: string, { store }: Parts): Promise<void> {
  if (names.length === 0) return;
  const known = await store.keyNames({ accountId });
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const message = `keys: the account has no API key named ${JSON.stringify(unknown)}; its keys are named ${known.join(", ")}`;
  throw fail("INVALID_REQUEST", { message, param: "keys" });
}

/** Executions woken per transaction: keeps one turn of the event loop short. */
const PORTION = 200;

/** Wakes all that wait for what was given; what a stop leaves is done at the next start. */
export async function wakeFunded({ store, claims, ledger, isOpen }: Parts): Promise<void> {
  while (isOpen() && (await store.wakeFunded({ limit: PORTION, now: ledger.now() }))) claims.wake();
}

/** What a parked execution still lacks, as of all that was given so far in its account; null when it goes on. */
export async function currentShortage(
  { accountId, executionId }: { readonly accountId: string; readonly executionId: string },
  parts: Parts,
): Promise<Shortage | null> {
  for (;;) {
    const found = await parts.store.readShortage({ accountId, executionId });
    if (found === null) return null;
    const { shortage, pending } = found;
    if (shortage.until !== null && shortage.until <= parts.ledger.now()) return null;
    if (!pending || !parts.isOpen()) return shortage;
    await wakeFunded(parts);
  }
}

/** Makes the service of one engine. */
export function createBudgets(parts: Parts): BudgetService {
  const { store, ledger } = parts;
  const given = (accountId: string, revision: number) => {
    ledger.given(accountId, revision);
    wakeFunded(parts).catch(parts.report);
  };
  return {
    balance: (params) => store.readBalance(params),
    async topUp({ accountId, target, add, idempotencyKey }) {
      const params = { accountId, target, add: toAddition(add), idempotencyKey, now: ledger.now() };
      const { revision, repeated } = await store.topUp(params);
      given(accountId, revision);
      return { repeated };
    },
    async pools(accountId) {
      const names = (await store.listPools()).filter((pool) => pool.accountId === accountId).map(({ key }) => key);
      names.sort((a, b) => (a ?? "").localeCompare(b ?? ""));
      const shown: ShownPool[] = [];
      for (const key of names) {
        const balance = await store.readPool({ accountId, key, now: ledger.now() });
        if (balance !== null) shown.push({ key, balance });
      }
      return shown;
    },
    async putPools({ accountId, pools }) {
      const named = pools.filter(({ limits }) => limits !== null).flatMap(({ key }) => key ?? []);
      await checkKeys(named, accountId, parts);
      const { revision } = await store.putPools({ accountId, pools, now: ledger.now() });
      await ledger.load();
      given(accountId, revision);
    },
  };
}
