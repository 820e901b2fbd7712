import { fail, MIN_SECRET_LENGTH, toWorkflowError, type WorkflowError } from "../../../runtime/index.ts";
import type { Store, StoredSecret } from "../../store/store.ts";
import { isHostRule } from "../config/host-rule.ts";
import { PLACES } from "../sealing/places.ts";
import type { Sealer } from "../sealing/sealer.ts";
import { createOpenedSecrets, type Kept } from "./opened-secrets.ts";
import type { SecretKey, SecretRule, SecretService, SecretSource, SecretView } from "./secret-service.ts";

/** Most secrets of one account, and the largest value in bytes: all are in memory. */
const MAX_SECRETS = 200;
const MAX_SECRET_BYTES = 32 * 1024;
/** Hosts of one handle. */
const MAX_HOSTS = 100;
/** What a header may hold: a handle's value is put into headers, too. */
const IN_HEADERS = /^[\x20-\x7e\xa0-\xff]*$/;

/** What the service is made from. */
export interface SecretParts {
  readonly store: Pick<Store, "listSecrets" | "putSecret" | "removeSecret">;
  readonly sealer: Sealer;
  report(error: unknown): void;
  now(): number;
}

/** The stored secrets of all accounts. */
export interface Secrets extends SecretService, SecretSource {}

type Hosts = SecretView["hosts"];

const toView = ({ value: _value, ...view }: Kept): SecretView => view;

const unknown = (name: string) =>
  fail("NOT_FOUND", { message: `The account has no secret named ${JSON.stringify(name.slice(0, 80))}.`, name });

/** The hosts of a handle are sealed along with the value: nobody changes them in the store. */
function seal(sealer: Sealer, { accountId, name }: SecretKey, value: string, hosts: Hosts): string {
  if (hosts === null) return sealer.seal(value, PLACES.secret(accountId, name));
  return sealer.seal(JSON.stringify({ value, hosts }), PLACES.handle(accountId, name));
}

function open(sealer: Sealer, { accountId, name, sealed, hosts }: StoredSecret): Pick<Kept, "value" | "hosts"> {
  if (hosts === null) return { value: sealer.open(sealed, PLACES.secret(accountId, name)), hosts };
  return JSON.parse(sealer.open(sealed, PLACES.handle(accountId, name))) as Pick<Kept, "value" | "hosts">;
}

/** Opens all of them; one whose key is gone is reported, and runs that would get it fail until it is set anew. */
async function load({ store, sealer, report }: SecretParts): Promise<ReadonlyMap<string, Map<string, Kept>>> {
  const accounts = new Map<string, Map<string, Kept>>();
  for (const secret of await store.listSecrets()) {
    const { accountId, name, refs, hosts, createdAt, updatedAt } = secret;
    let content: Pick<Kept, "value" | "hosts"> = { value: null, hosts };
    try {
      content = open(sealer, secret);
    } catch (error) {
      report(new Error(`secret ${name}: ${toWorkflowError(error).message}`, { cause: error }));
    }
    const own = accounts.get(accountId) ?? new Map<string, Kept>();
    accounts.set(accountId, own.set(name, { name, refs, createdAt, updatedAt, ...content }));
  }
  return accounts;
}

const refuse = (param: string, rule: string): WorkflowError =>
  fail("INVALID_REQUEST", { message: `${param}: ${rule}`, param });

/** The value itself stays out of every message. */
function checkValue(value: string, hosts: Hosts): void {
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_SECRET_BYTES) {
    const message = `value: ${bytes} bytes, over ${MAX_SECRET_BYTES} (MAX_SECRET_BYTES)`;
    throw fail("LIMIT_EXCEEDED", { message, param: "value", limit: MAX_SECRET_BYTES, value: bytes });
  }
  if (value.length < MIN_SECRET_LENGTH) {
    const rule = `must have at least ${MIN_SECRET_LENGTH} characters, got ${value.length}: shorter ones cannot be hidden`;
    throw refuse("value", rule);
  }
  if (!value.isWellFormed()) throw refuse("value", "has half a surrogate pair, which is no text");
  if (hosts !== null && !IN_HEADERS.test(value))
    throw refuse("value", "of a handle may have no line breaks, control characters or characters outside Latin-1");
}

function checkHosts(hosts: Hosts): Hosts {
  if (hosts === null) return null;
  if (hosts.length === 0 || hosts.length > MAX_HOSTS)
    throw refuse("hosts", `a handle needs 1 to ${MAX_HOSTS} host names, got ${hosts.length}`);
  const wrong = hosts.find((host) => !isHostRule(host));
  if (wrong === undefined) return hosts.map((host) => host.toLowerCase());
  throw refuse(
    "hosts",
    `must be host names such as "api.example.com" or "*.example.com", got ${JSON.stringify(wrong)}`,
  );
}

function checkCount(own: ReadonlyMap<string, Kept>, name: string): void {
  if (own.has(name) || own.size < MAX_SECRETS) return;
  const message = `The account has ${own.size} secrets, as many as it may (MAX_SECRETS ${MAX_SECRETS}). Delete one first.`;
  throw fail("LIMIT_EXCEEDED", { message, limit: MAX_SECRETS, value: own.size });
}

/** The secret as it is from now on. */
function toKept(name: string, rule: SecretRule, before: Kept | null, at: number): Kept & { readonly value: string } {
  const { value, refs = before?.refs ?? null } = rule;
  const hosts = checkHosts(rule.hosts === undefined ? (before?.hosts ?? null) : rule.hosts);
  checkValue(value, hosts);
  return { name, value, refs, hosts, createdAt: before?.createdAt ?? at, updatedAt: at };
}

/** Opens the stored secrets. */
export async function openSecrets(parts: SecretParts): Promise<Secrets> {
  const { store, sealer, now } = parts;
  const opened = createOpenedSecrets(sealer.derive("marks of secrets"));
  for (const [accountId, own] of await load(parts)) opened.set(accountId, own);
  const find = ({ accountId, name }: SecretKey): Kept => {
    const found = opened.of(accountId).get(name);
    if (found === undefined) throw unknown(name);
    return found;
  };
  return {
    granted: opened.granted,
    named: opened.named,
    list: (accountId) => [...opened.of(accountId).values()].map(toView).sort((a, b) => a.name.localeCompare(b.name)),
    find: (key) => toView(find(key)),
    async put({ accountId, name, ...rule }) {
      const own = opened.of(accountId);
      checkCount(own, name);
      const kept = toKept(name, rule, own.get(name) ?? null, now());
      const sealed = seal(sealer, { accountId, name }, kept.value, kept.hosts);
      await store.putSecret({ secret: { accountId, ...toView(kept), sealed } });
      opened.set(accountId, new Map(opened.of(accountId)).set(name, kept));
      return toView(kept);
    },
    async remove({ accountId, name }) {
      if (!(await store.removeSecret({ accountId, name }))) throw unknown(name);
      const left = new Map(opened.of(accountId));
      left.delete(name);
      opened.set(accountId, left);
    },
  };
}
