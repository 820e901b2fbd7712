import type {
  Account,
  AccountChanges,
  ApiKey,
  Caller,
  KeyChanges,
  Page,
  Scope,
  StoredKey,
  TrafficLimits,
} from "../types.ts";

/** What a key may do; `admin` means everything. */
export const SCOPES: readonly Scope[] = ["invoke", "deploy", "read", "admin"];

/** No limits. */
export const UNLIMITED: TrafficLimits = Object.freeze({ requestsPerMinute: null, concurrency: null });

/** A new key without its text: what absent members mean is said here. */
export interface KeyRequest {
  /** Unique in the account. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly refs: ApiKey["refs"];
  readonly limits: ApiKey["limits"];
  readonly expiresAt: number | null;
}

/** A key that was just made. */
export interface MadeKey {
  readonly key: StoredKey;
  /** The text; it is shown here and never again. */
  readonly text: string;
}

/** Keys of accounts. Throws WorkflowError; NOT_FOUND for an unknown key, CONFLICT where an account would keep no `admin` key. */
export interface KeyService {
  /** The caller whose key has this hex SHA-256, null when there is none; UNAUTHENTICATED says that it has expired or its account is suspended. Notes the use. */
  callerOf(hash: string): Caller | null;
  /** The oldest first. */
  list(accountId: string): Promise<readonly StoredKey[]>;
  find(params: KeyTarget): Promise<StoredKey>;
  /** CONFLICT when the account has a key of this name. */
  create(params: { readonly accountId: string; readonly request: KeyRequest }): Promise<MadeKey>;
  update(params: KeyTarget & { readonly changes: KeyChanges }): Promise<StoredKey>;
  /** Makes a key of the same name and rights; the former one is good for `overlapMs` more, 0 = not at all. */
  rotate(params: KeyTarget & { readonly overlapMs: number }): Promise<MadeKey>;
  revoke(params: KeyTarget): Promise<void>;
  /** Writes the last uses down. */
  flush(): Promise<void>;
}

/** Which key, of whom. */
export interface KeyTarget {
  readonly accountId: string;
  readonly keyId: string;
}

/** Accounts, for the owner. Throws WorkflowError; NOT_FOUND for an unknown account, CONFLICT for a taken name. */
export interface AccountService {
  list(page: { readonly limit: number; readonly offset: number }): Promise<Page<Account>>;
  /** By id or name. */
  find(key: string): Promise<Account>;
  /** Makes it with a first `admin` key. */
  create(params: {
    readonly name: string;
    readonly limits: TrafficLimits;
  }): Promise<{ readonly account: Account; readonly key: MadeKey }>;
  /** CONFLICT for the suspension of the owner's own account. */
  update(key: string, changes: AccountChanges): Promise<Account>;
  readonly keys: KeyService;
}
