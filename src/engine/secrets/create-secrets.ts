import { fail, toWorkflowError } from "../../../runtime/index.ts";
import type { Store } from "../../store/store.ts";
import { PLACES } from "../sealing/places.ts";
import type { Sealer } from "../sealing/sealer.ts";
import type { SecretKey, SecretService, SecretSource, SecretView } from "./secret-service.ts";

/** Most secrets of one account, and the largest value in bytes: all are in memory. */
export const MAX_SECRETS = 200;
export const MAX_SECRET_BYTES = 32 * 1024;

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** A secret that is open; null = its key is gone. */
interface Kept extends SecretView {
  readonly value: string | null;
}

/** What the service is made from. */
export interface SecretParts {
  readonly store: Pick<Store, "listSecrets" | "putSecret" | "removeSecret">;
  readonly sealer: Sealer;
  report(error: unknown): void;
  now(): number;
}

/** The stored secrets of all accounts. */
export interface Secrets extends SecretService, SecretSource {}

const covers = (refs: SecretView["refs"], ref: string) =>
  refs === null || refs.some((one) => (one.endsWith("*") ? ref.startsWith(one.slice(0, -1)) : one === ref));

const toView = ({ value: _value, ...view }: Kept): SecretView => view;

const unknown = (name: string) =>
  fail("NOT_FOUND", { message: `The account has no secret named ${JSON.stringify(name.slice(0, 80))}.`, name });

type Accounts = Map<string, ReadonlyMap<string, Kept>>;

/** Opens all of them; one whose key is gone is reported, and runs that would get it fail until it is set anew. */
async function load({ store, sealer, report }: SecretParts): Promise<Accounts> {
  const accounts = new Map<string, Map<string, Kept>>();
  for (const { accountId, name, sealed, ...facts } of await store.listSecrets()) {
    let value: string | null = null;
    try {
      value = sealer.open(sealed, PLACES.secret(accountId, name));
    } catch (error) {
      report(new Error(`secret ${name}: ${toWorkflowError(error).message}`, { cause: error }));
    }
    const own = accounts.get(accountId) ?? new Map<string, Kept>();
    accounts.set(accountId, own.set(name, { name, ...facts, value }));
  }
  return accounts;
}

function checkSize(own: ReadonlyMap<string, Kept>, name: string, value: string): void {
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_SECRET_BYTES) {
    const message = `value: ${bytes} bytes, over ${MAX_SECRET_BYTES} (MAX_SECRET_BYTES)`;
    throw fail("LIMIT_EXCEEDED", { message, param: "value", limit: MAX_SECRET_BYTES, value: bytes });
  }
  if (own.has(name) || own.size < MAX_SECRETS) return;
  const message = `The account has ${own.size} secrets, as many as it may (MAX_SECRETS ${MAX_SECRETS}). Delete one first.`;
  throw fail("LIMIT_EXCEEDED", { message, limit: MAX_SECRETS, value: own.size });
}

/** Opens the stored secrets. */
export async function openSecrets(parts: SecretParts): Promise<Secrets> {
  const { store, sealer, now } = parts;
  const accounts = await load(parts);
  const of = (accountId: string): ReadonlyMap<string, Kept> => accounts.get(accountId) ?? new Map();
  const find = ({ accountId, name }: SecretKey): Kept => {
    const found = of(accountId).get(name);
    if (found === undefined) throw unknown(name);
    return found;
  };
  return {
    list: (accountId) => [...of(accountId).values()].map(toView).sort((a, b) => a.name.localeCompare(b.name)),
    find: (key) => toView(find(key)),
    async put({ accountId, name, value, refs }) {
      const before = of(accountId).get(name) ?? null;
      checkSize(of(accountId), name, value);
      const at = now();
      const kept = {
        ...{ name, value, createdAt: before?.createdAt ?? at, updatedAt: at },
        refs: refs === undefined ? (before?.refs ?? null) : refs,
      };
      const { value: _value, ...facts } = kept;
      const sealed = sealer.seal(value, PLACES.secret(accountId, name));
      await store.putSecret({ secret: { accountId, ...facts, sealed } });
      accounts.set(accountId, new Map(of(accountId)).set(name, kept));
      return toView(kept);
    },
    async remove({ accountId, name }) {
      if (!(await store.removeSecret({ accountId, name }))) throw unknown(name);
      const left = new Map(of(accountId));
      left.delete(name);
      accounts.set(accountId, left);
    },
    secretsFor(accountId, ref) {
      const own = accounts.get(accountId);
      if (own === undefined || own.size === 0) return NONE;
      const found: [string, string][] = [];
      for (const { name, refs, value } of own.values()) {
        if (!covers(refs, ref)) continue;
        if (value === null)
          throw fail("CONFLICT", {
            message: `The secret ${name} cannot be read: the key that it was sealed with is gone. Set it anew.`,
          });
        found.push([name, value]);
      }
      return found.length === 0 ? NONE : Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
    },
  };
}
