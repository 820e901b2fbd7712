import { fail } from "../../../runtime/index.ts";
import type { Store } from "../../store/store.ts";
import { type AccountService, UNLIMITED } from "./account-service.ts";
import { createKeys, type KeyParts } from "./create-keys.ts";

/** What the service is made from. */
export interface AccountParts extends KeyParts {
  readonly store: KeyParts["store"] & Pick<Store, "createAccount" | "findAccount" | "listAccounts" | "updateAccount">;
}

/** Name of the key that a new account begins with. */
const FIRST_KEY = "first";

/** Makes the service. */
export function createAccounts(parts: AccountParts): AccountService {
  const { store, now } = parts;
  const keys = createKeys(parts);
  const find = async (key: string) => {
    const account = await store.findAccount({ key });
    if (account === null)
      throw fail("NOT_FOUND", { message: `There is no account ${JSON.stringify(key.slice(0, 60))}.` });
    return account;
  };
  return {
    keys,
    find,
    list: (page) => store.listAccounts(page),
    async create({ name, limits }) {
      const account = await store.createAccount({ name, limits, createdAt: now() });
      const request = { name: FIRST_KEY, scopes: ["admin"], refs: null, limits: UNLIMITED, expiresAt: null } as const;
      return { account, key: await keys.create({ accountId: account.id, request }) };
    },
    async update(key, changes) {
      const account = await find(key);
      if (account.owner && changes.suspended === true) {
        throw fail("CONFLICT", {
          message: "suspended: the owner's own account cannot be suspended",
          param: "suspended",
        });
      }
      const changed = await store.updateAccount({ accountId: account.id, changes });
      return changed ?? find(key);
    },
  };
}
