import { randomUUID } from "node:crypto";
import type { Account, Caller, Store } from "../store.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";

interface AccountRow {
  readonly id: string;
  readonly name: string;
  readonly owner: number;
}

type Accounts = Pick<
  Store,
  "ownerAccount" | "addKey" | "accountOfKey" | "hasKeys" | "keyNames" | "removeKeys" | "readSetting" | "writeSetting"
>;

const toAccount = (row: AccountRow): Account => ({ id: row.id, name: row.name, owner: row.owner === 1 });

interface KeyRow extends AccountRow {
  readonly hash: string;
  readonly key_name: string;
  readonly prefix: string;
}

function loadKeys(db: Database): Map<string, Caller> {
  const rows = db.all<KeyRow>(
    "SELECT k.hash, k.name AS key_name, k.prefix, a.id, a.name, a.owner FROM keys k JOIN accounts a ON a.id = k.account_id",
  );
  return new Map(rows.map((row) => [row.hash, { ...toAccount(row), key: { name: row.key_name, prefix: row.prefix } }]));
}

/** Accounts, API keys (all of them in memory, because every request asks) and server-wide settings. */
export function createAccounts(db: Database, writer: Writer): Accounts {
  const keys = loadKeys(db);
  const accountById = (id: string) => db.get<AccountRow>("SELECT id, name, owner FROM accounts WHERE id = ?", id);
  const owner = () => db.get<AccountRow>("SELECT id, name, owner FROM accounts WHERE owner = 1");
  return {
    async ownerAccount() {
      const found = owner();
      if (found !== undefined) return toAccount(found);
      const account: Account = { id: randomUUID(), name: "owner", owner: true };
      await writer.write(() =>
        db.run("INSERT INTO accounts (id, name, owner) VALUES (?, ?, 1)", account.id, account.name),
      );
      return account;
    },
    async addKey({ accountId, hash, prefix, name, createdAt }) {
      const known = keys.has(hash);
      const durable = writer.write(() => {
        const sql =
          "INSERT INTO keys (hash, account_id, prefix, name, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING";
        db.run(sql, hash, accountId, prefix, name, createdAt);
        const row = accountById(accountId);
        if (row !== undefined && !known) keys.set(hash, { ...toAccount(row), key: { name, prefix } });
      });
      try {
        await durable;
      } catch (error) {
        if (!known) keys.delete(hash);
        throw error;
      }
    },
    accountOfKey: ({ hash }) => keys.get(hash) ?? null,
    hasKeys: async () => keys.size > 0,
    async keyNames({ accountId }) {
      return [...new Set([...keys.values()].filter(({ id }) => id === accountId).map(({ key }) => key.name))].sort();
    },
    async removeKeys({ accountId, name, except }) {
      await writer.write(() => {
        db.run("DELETE FROM keys WHERE account_id = ? AND name = ? AND hash <> ?", accountId, name, except);
        const left = loadKeys(db);
        for (const hash of keys.keys()) if (!left.has(hash)) keys.delete(hash);
      });
    },
    async readSetting({ name }) {
      return db.get<{ value: string }>("SELECT value FROM settings WHERE name = ?", name)?.value ?? null;
    },
    async writeSetting({ name, value }) {
      const sql =
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
      await writer.write(() => db.run(sql, name, value));
    },
  };
}
