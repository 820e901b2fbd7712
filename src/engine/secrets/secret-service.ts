/** A stored secret without its value, which never leaves the server but into the runs it is for. */
export interface SecretView {
  readonly name: string;
  /** The only workflows that get it: refs, or beginnings of refs that end in `*`; null = all. */
  readonly refs: readonly string[] | null;
  /** The only hosts that get the value; scripts have a handle of it then. null = scripts have the value. */
  readonly hosts: readonly string[] | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Which secret, of whom. */
export interface SecretKey {
  readonly accountId: string;
  readonly name: string;
}

/** What a secret is set to; the value is always given again, so that nobody sends one that they do not know elsewhere. */
export interface SecretRule {
  readonly value: string;
  readonly refs?: readonly string[] | null;
  /** `host` or `*.host`, either with `:port`. */
  readonly hosts?: readonly string[] | null;
}

/** Secrets that are kept for runs. Throws WorkflowError; NOT_FOUND for an unknown one. */
export interface SecretService {
  /** By name. */
  list(accountId: string): readonly SecretView[];
  find(key: SecretKey): SecretView;
  /** Adds or replaces; `refs` or `hosts` undefined keep what they were. INVALID_REQUEST, LIMIT_EXCEEDED. */
  put(params: SecretKey & SecretRule): Promise<SecretView>;
  remove(key: SecretKey): Promise<void>;
}

/** A stored secret with its value. */
export interface OpenSecret extends Pick<SecretView, "name" | "hosts"> {
  readonly value: string;
}

/** What a workflow has of its account's secrets. */
export interface Granted {
  /** By name. */
  readonly secrets: readonly OpenSecret[];
  /** Stands for their values in keys of results (an HMAC); empty when there are none. */
  readonly mark: string;
}

/** What the engine asks for. Throws CONFLICT for one that cannot be read. */
export interface SecretSource {
  /** For a run of the workflow `ref`. */
  granted(accountId: string, ref: string): Granted;
  /** Those of some names, whichever workflows they are for; one that was deleted is left out. */
  named(accountId: string, names: readonly string[]): readonly OpenSecret[];
}
