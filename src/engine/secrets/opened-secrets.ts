import { createHmac } from "node:crypto";
import { fail } from "../../../runtime/index.ts";
import { canonical } from "../../cache/canonical.ts";
import { coversRef } from "../ref-pattern.ts";
import type { Granted, OpenSecret, SecretSource, SecretView } from "./secret-service.ts";

/** A secret that is open; null = its key is gone. */
export interface Kept extends SecretView {
  readonly value: string | null;
}

/** The opened secrets of all accounts, in memory. */
export interface OpenedSecrets extends SecretSource {
  of(accountId: string): ReadonlyMap<string, Kept>;
  /** What an account has from now on. */
  set(accountId: string, secrets: ReadonlyMap<string, Kept>): void;
}

const NOTHING: ReadonlyMap<string, Kept> = new Map();
const NONE: Granted = Object.freeze({ secrets: Object.freeze([]), mark: "" });
/** Workflows of an account whose secrets are kept together. */
const MAX_REFS = 1_000;

function toOpen({ name, value, hosts }: Kept): OpenSecret {
  if (value !== null) return { name, value, hosts };
  const message = `The secret ${name} cannot be read: the key that it was sealed with is gone. Set it anew.`;
  throw fail("CONFLICT", { message });
}

interface Account {
  readonly all: ReadonlyMap<string, Kept>;
  readonly byRef: Map<string, Granted>;
}

/** Keeps them; `markKey` makes the marks of values. */
export function createOpenedSecrets(markKey: Buffer): OpenedSecrets {
  const accounts = new Map<string, Account>();

  const grant = ({ all }: Account, ref: string): Granted => {
    const mine = [...all.values()].filter(({ refs }) => refs === null || coversRef(refs, ref));
    if (mine.length === 0) return NONE;
    const secrets = mine.map(toOpen).sort((a, b) => (a.name < b.name ? -1 : 1));
    const mark = createHmac("sha256", markKey).update(canonical(secrets)).digest("base64url");
    return Object.freeze({ secrets: Object.freeze(secrets), mark });
  };

  return {
    of: (accountId) => accounts.get(accountId)?.all ?? NOTHING,
    set(accountId, all) {
      if (all.size === 0) accounts.delete(accountId);
      else accounts.set(accountId, { all, byRef: new Map() });
    },
    granted(accountId, ref) {
      const account = accounts.get(accountId);
      if (account === undefined) return NONE;
      const known = account.byRef.get(ref);
      if (known !== undefined) return known;
      const granted = grant(account, ref);
      if (account.byRef.size >= MAX_REFS) account.byRef.clear();
      account.byRef.set(ref, granted);
      return granted;
    },
    named(accountId, names) {
      const all = accounts.get(accountId)?.all ?? NOTHING;
      return [...new Set(names)].flatMap((name) => all.get(name) ?? []).map(toOpen);
    },
  };
}
