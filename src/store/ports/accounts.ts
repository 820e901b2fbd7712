import type { Account, ApiKey, Caller, Page, StoredKey, TrafficLimits } from "../rows.ts";

/** Members of an account that can be changed; absent ones keep their value. */
export type AccountChanges = Partial<Pick<Account, "name" | "suspended" | "limits">>;

/** Members of a key that can be changed; absent ones keep their value. */
export type KeyChanges = Partial<Pick<ApiKey, "name" | "scopes" | "refs" | "limits" | "expiresAt">>;

/** Which key, of whom. */
export interface KeyOfAccount {
  readonly accountId: string;
  readonly keyId: string;
}

/** Accounts and their keys. */
export interface AccountStore {
  /** The owner's account, made on first use. */
  ownerAccount(): Promise<Account>;
  /** CONFLICT when the name is taken. */
  createAccount(params: {
    readonly name: string;
    readonly limits: TrafficLimits;
    readonly createdAt: number;
  }): Promise<Account>;
  /** By id or name. */
  findAccount(params: { readonly key: string }): Promise<Account | null>;
  /** By name. */
  listAccounts(params: { readonly limit: number; readonly offset: number }): Promise<Page<Account>>;
  /** Null when there is no such account; CONFLICT when the name is taken. */
  updateAccount(params: { readonly accountId: string; readonly changes: AccountChanges }): Promise<Account | null>;
  /** Adding a hash that is there changes nothing. */
  addKey(params: {
    readonly accountId: string;
    /** Hex SHA-256 of the key. */
    readonly hash: string;
    readonly key: ApiKey;
    readonly createdAt: number;
  }): Promise<void>;
  /** Account of the key whose hex SHA-256 is `hash`, also when it has expired; synchronous because every request asks (served from memory where it can). */
  accountOfKey(params: { readonly hash: string }): Caller | null;
  hasKeys(): Promise<boolean>;
  /** Keys of an account, the oldest first. */
  listKeys(params: { readonly accountId: string }): Promise<readonly StoredKey[]>;
  /** In force when it returns, before it is durable; null when there is no such key. */
  updateKey(params: KeyOfAccount & { readonly changes: KeyChanges }): Promise<StoredKey | null>;
  /** Revokes it, in force when it returns; false when there is no such key. */
  removeKey(params: KeyOfAccount): Promise<boolean>;
  /** Notes when keys were last used; unknown ids are passed over. */
  noteKeyUses(params: { readonly uses: ReadonlyMap<string, number> }): Promise<void>;
  /** Names of an account's keys, each once. */
  keyNames(params: { readonly accountId: string }): Promise<readonly string[]>;
  /** Revokes the keys of this name except the one whose hash is `except`. */
  removeKeys(params: { readonly accountId: string; readonly name: string; readonly except: string }): Promise<void>;
}
