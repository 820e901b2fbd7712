/** A stored secret without its value, which never leaves the server but into the runs it is for. */
export interface SecretView {
  readonly name: string;
  /** The only workflows that get it: refs, or beginnings of refs that end in `*`; null = all. */
  readonly refs: readonly string[] | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Which secret, of whom. */
export interface SecretKey {
  readonly accountId: string;
  readonly name: string;
}

/** Secrets that are kept for runs. Throws WorkflowError; NOT_FOUND for an unknown one. */
export interface SecretService {
  /** By name. */
  list(accountId: string): readonly SecretView[];
  find(key: SecretKey): SecretView;
  /** Adds or replaces; `refs` undefined keeps what it was. LIMIT_EXCEEDED. */
  put(params: SecretKey & { readonly value: string; readonly refs?: readonly string[] | null }): Promise<SecretView>;
  remove(key: SecretKey): Promise<void>;
}

/** What the engine asks for. */
export interface SecretSource {
  /** Names and values for a run of the workflow `ref`, by name. */
  secretsFor(accountId: string, ref: string): Readonly<Record<string, string>>;
}
