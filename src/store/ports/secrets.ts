/** A stored secret as the store has it. */
export interface StoredSecret {
  readonly accountId: string;
  readonly name: string;
  readonly sealed: string;
  /** The only workflows that get it: refs, or beginnings of refs that end in `*`; null = all of the account. */
  readonly refs: readonly string[] | null;
  /** The only hosts that get the value of a handle; null = scripts have the value. */
  readonly hosts: readonly string[] | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A value of the store that is sealed, or has to be; of a graph, its whole text. */
export interface SealedValue {
  readonly kind: "endpoint" | "former" | "account" | "trigger" | "graph" | "secret" | "handle";
  readonly accountId: string;
  /** Id or name within its kind. */
  readonly id: string;
  readonly text: string;
}

/** Secrets of accounts, and all that is sealed. */
export interface SecretStore {
  /** Of all accounts. */
  listSecrets(): Promise<readonly StoredSecret[]>;
  /** Adds or replaces. */
  putSecret(params: { readonly secret: StoredSecret }): Promise<void>;
  /** False when there is none. */
  removeSecret(params: { readonly accountId: string; readonly name: string }): Promise<boolean>;
  listSealed(): Promise<readonly SealedValue[]>;
  /** Replaces the texts of values, overwriting what was there; one that is gone is passed over. */
  replaceSealed(params: { readonly values: readonly SealedValue[] }): Promise<void>;
  /** Writes everything to its place, so that the log has no copy of what was replaced. */
  emptyLog(): Promise<void>;
}
