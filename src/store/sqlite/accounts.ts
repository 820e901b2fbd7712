import { randomUUID } from "node:crypto";
import { fail } from "../../../runtime/index.ts";
import type { Account, Caller, Scope, Store, StoredKey } from "../store.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";

interface AccountRow {
  readonly id: string;
  readonly name: string;
  readonly owner: number;
  readonly suspended: number;
  readonly requests_per_minute: number | null;
  readonly concurrency: number | null;
}

interface KeyRow {
  readonly hash: string;
  readonly account_id: string;
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: string;
  readonly refs: string | null;
  readonly requests_per_minute: number | null;
  readonly concurrency: number | null;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly last_used_at: number | null;
}

type Accounts = Pick<
  Store,
  | "ownerAccount"
  | "createAccount"
  | "findAccount"
  | "listAccounts"
  | "updateAccount"
  | "addKey"
  | "accountOfKey"
  | "hasKeys"
  | "listKeys"
  | "updateKey"
  | "removeKey"
  | "noteKeyUses"
  | "keyNames"
  | "removeKeys"
  | "readSetting"
  | "writeSetting"
  | "holdFile"
>;

const ACCOUNT = "id, name, owner, suspended, requests_per_minute, concurrency";

const limitsOf = (row: Pick<KeyRow, "requests_per_minute" | "concurrency">) => ({
  requestsPerMinute: row.requests_per_minute,
  concurrency: row.concurrency,
});

const toAccount = (row: AccountRow): Account => ({
  id: row.id,
  name: row.name,
  owner: row.owner === 1,
  suspended: row.suspended === 1,
  limits: limitsOf(row),
});

const toKey = (row: KeyRow): StoredKey => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  // Written below, and checked by whoever asks for it.
  scopes: row.scopes.split(" ") as Scope[],
  refs: row.refs === null ? null : row.refs.split(" "),
  limits: limitsOf(row),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});

const toCaller = (account: Account, row: KeyRow): Caller => {
  const { createdAt: _createdAt, lastUsedAt: _lastUsedAt, ...key } = toKey(row);
  return { ...account, key };
};

function loadCallers(db: Database): Map<string, Caller> {
  const accounts = new Map(
    db.all<AccountRow>(`SELECT ${ACCOUNT} FROM accounts`).map((row) => [row.id, toAccount(row)]),
  );
  const callers = new Map<string, Caller>();
  for (const row of db.all<KeyRow>("SELECT * FROM keys")) {
    const account = accounts.get(row.account_id);
    if (account !== undefined) callers.set(row.hash, toCaller(account, row));
  }
  return callers;
}

/** Every key with its account, in memory because every request asks. */
class Callers {
  readonly #db: Database;
  readonly #writer: Writer;
  #byHash: ReadonlyMap<string, Caller>;

  constructor(db: Database, writer: Writer) {
    this.#db = db;
    this.#writer = writer;
    this.#byHash = loadCallers(db);
  }

  get(hash: string): Caller | null {
    return this.#byHash.get(hash) ?? null;
  }

  get size(): number {
    return this.#byHash.size;
  }

  /** Writes, and knows the change at once; what could not be made durable is forgotten again. */
  async write<T>(mutation: () => T): Promise<T> {
    const durable = this.#writer.write(() => {
      const value = mutation();
      this.#byHash = loadCallers(this.#db);
      return value;
    });
    return durable.catch((error: unknown) => {
      this.#byHash = loadCallers(this.#db);
      throw error;
    });
  }
}

type AccountPart = Pick<Accounts, "ownerAccount" | "createAccount" | "findAccount" | "listAccounts" | "updateAccount">;

function refuseTaken(db: Database, name: string, except: string | null): void {
  const other = db.get<{ id: string }>("SELECT id FROM accounts WHERE name = ?", name);
  if (other === undefined || other.id === except) return;
  throw fail("CONFLICT", { message: `name: there is an account ${JSON.stringify(name)} already`, param: "name" });
}

function createAccountPart(db: Database, callers: Callers): AccountPart {
  const find = (column: "id" | "name", key: string) => {
    const row = db.get<AccountRow>(`SELECT ${ACCOUNT} FROM accounts WHERE ${column} = ?`, key);
    return row === undefined ? null : toAccount(row);
  };
  const add = (made: Pick<Account, "name" | "owner" | "limits">, createdAt: number): Promise<Account> => {
    const account = { ...made, id: randomUUID(), suspended: false };
    const { requestsPerMinute, concurrency } = made.limits;
    return callers.write(() => {
      refuseTaken(db, made.name, null);
      const sql =
        "INSERT INTO accounts (id, name, owner, requests_per_minute, concurrency, created_at) VALUES (?, ?, ?, ?, ?, ?)";
      db.run(sql, account.id, made.name, Number(made.owner), requestsPerMinute, concurrency, createdAt);
      return account;
    });
  };
  return {
    async ownerAccount() {
      const found = db.get<AccountRow>(`SELECT ${ACCOUNT} FROM accounts WHERE owner = 1`);
      if (found !== undefined) return toAccount(found);
      const limits = { requestsPerMinute: null, concurrency: null };
      return add({ name: "owner", owner: true, limits }, Date.now());
    },
    createAccount: ({ name, limits, createdAt }) => add({ name, limits, owner: false }, createdAt),
    findAccount: async ({ key }) => find("id", key) ?? find("name", key),
    async listAccounts({ limit, offset }) {
      const rows = db.all<AccountRow>(`SELECT ${ACCOUNT} FROM accounts ORDER BY name LIMIT ? OFFSET ?`, limit, offset);
      const total = db.get<{ count: number }>("SELECT count(*) AS count FROM accounts")?.count ?? 0;
      return { items: rows.map(toAccount), total };
    },
    updateAccount: ({ accountId, changes }) =>
      callers.write(() => {
        const found = find("id", accountId);
        if (found === null) return null;
        const next: Account = { ...found, ...changes };
        refuseTaken(db, next.name, accountId);
        const sql =
          "UPDATE accounts SET name = ?, suspended = ?, requests_per_minute = ?, concurrency = ? WHERE id = ?";
        const { requestsPerMinute, concurrency } = next.limits;
        db.run(sql, next.name, Number(next.suspended), requestsPerMinute, concurrency, accountId);
        return next;
      }),
  };
}

type KeyPart = Omit<Accounts, keyof AccountPart | "readSetting" | "writeSetting" | "holdFile">;

function createKeyPart(db: Database, writer: Writer, callers: Callers): KeyPart {
  const rowsOf = (accountId: string) =>
    db.all<KeyRow>("SELECT * FROM keys WHERE account_id = ? ORDER BY created_at, id", accountId);
  const find = (accountId: string, keyId: string) => {
    const row = db.get<KeyRow>("SELECT * FROM keys WHERE id = ? AND account_id = ?", keyId, accountId);
    return row === undefined ? null : toKey(row);
  };
  const update = (next: StoredKey) => {
    const sql =
      "UPDATE keys SET name = ?, scopes = ?, refs = ?, requests_per_minute = ?, concurrency = ?, expires_at = ? WHERE id = ?";
    const { name, scopes, refs, limits, expiresAt, id } = next;
    const { requestsPerMinute, concurrency } = limits;
    db.run(sql, name, scopes.join(" "), refs?.join(" ") ?? null, requestsPerMinute, concurrency, expiresAt, id);
  };
  return {
    addKey: ({ accountId, hash, key, createdAt }) =>
      callers.write(() => {
        const sql =
          "INSERT INTO keys (hash, account_id, prefix, name, created_at, id) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING";
        if (callers.get(hash) !== null) return;
        db.run(sql, hash, accountId, key.prefix, key.name, createdAt, key.id);
        update({ ...key, createdAt, lastUsedAt: null });
      }),
    accountOfKey: ({ hash }) => callers.get(hash),
    hasKeys: async () => callers.size > 0,
    listKeys: async ({ accountId }) => rowsOf(accountId).map(toKey),
    updateKey: ({ accountId, keyId, changes }) =>
      callers.write(() => {
        const found = find(accountId, keyId);
        if (found === null) return null;
        const next = { ...found, ...changes };
        update(next);
        return next;
      }),
    removeKey: ({ accountId, keyId }) =>
      callers.write(() => {
        if (find(accountId, keyId) === null) return false;
        db.run("DELETE FROM keys WHERE id = ?", keyId);
        return true;
      }),
    async noteKeyUses({ uses }) {
      await writer.write(() => {
        for (const [id, at] of uses) db.run("UPDATE keys SET last_used_at = ? WHERE id = ?", at, id);
      });
    },
    keyNames: async ({ accountId }) => [...new Set(rowsOf(accountId).map(({ name }) => name))].sort(),
    removeKeys: ({ accountId, name, except }) =>
      callers.write(() => {
        db.run("DELETE FROM keys WHERE account_id = ? AND name = ? AND hash <> ?", accountId, name, except);
      }),
  };
}

/** Accounts, API keys and server-wide settings. */
export function createAccounts(db: Database, writer: Writer): Accounts {
  const callers = new Callers(db, writer);
  return {
    ...createAccountPart(db, callers),
    ...createKeyPart(db, writer, callers),
    async readSetting({ name }) {
      return db.get<{ value: string }>("SELECT value FROM settings WHERE name = ?", name)?.value ?? null;
    },
    holdFile: (isHeld) => db.holdFile(isHeld),
    async writeSetting({ name, value }) {
      const sql =
        "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
      await writer.write(() => db.run(sql, name, value));
    },
  };
}
