import type { Account, Caller } from "../rows.ts";

/** Accounts and their keys. */
export interface AccountStore {
  /** The owner's account, made on first use. */
  ownerAccount(): Promise<Account>;
  addKey(params: {
    readonly accountId: string;
    readonly hash: string;
    readonly prefix: string;
    readonly name: string;
    readonly createdAt: number;
  }): Promise<void>;
  /** Account of the key whose hex SHA-256 is `hash`; synchronous because every request asks (served from memory where it can). */
  accountOfKey(params: { readonly hash: string }): Caller | null;
  hasKeys(): Promise<boolean>;
  /** Names of an account's keys, each once. */
  keyNames(params: { readonly accountId: string }): Promise<readonly string[]>;
  /** Revokes the keys of this name except the one whose hash is `except`. */
  removeKeys(params: { readonly accountId: string; readonly name: string; readonly except: string }): Promise<void>;
}
