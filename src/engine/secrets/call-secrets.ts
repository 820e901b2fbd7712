import { type CtxData, fail, handleText, type SecretHandle } from "../../../runtime/index.ts";
import type { Granted, OpenSecret, SecretSource } from "./secret-service.ts";

type Values = Readonly<Record<string, string>>;

/** The secrets of one execution, in memory only. */
export interface CallSecrets {
  /** What ctx.secrets has: values, and the texts of handles. */
  readonly secrets: Values;
  /** Values that are never stored or shown: its own and those of its callers, by labels. */
  readonly hidden: Values;
  /** Handles whose texts it may send: its own and those of its callers. */
  readonly handles: readonly SecretHandle[];
  /** Labels of hidden values that are stored → names of the stored secrets. Whoever calls is not shown these. */
  readonly stored: Values;
}

/** What an execution's row says of its secrets: names alone. */
export type SecretNames = Pick<CtxData, "secret_names" | "secret_handles" | "inherited_secrets" | "inherited_handles">;

const NOTHING: Values = Object.freeze({});
/** The secrets of an execution that has none. */
export const NO_CALL_SECRETS: CallSecrets = Object.freeze({
  secrets: NOTHING,
  hidden: NOTHING,
  handles: Object.freeze([]),
  stored: NOTHING,
});

function hasAny(values: Values): boolean {
  for (const _name in values) return true;
  return false;
}

const toHandle = ({ name, value, hosts }: OpenSecret, text: string): SecretHandle => ({
  ...{ name, text, value, hosts: hosts ?? [] },
});

/** Puts secrets together in their order; placeholders in the journal go by it. */
class Gathering {
  readonly #seed: string;
  readonly #secrets = new Map<string, string>();
  readonly #hidden = new Map<string, string>();
  readonly #stored = new Map<string, string>();
  readonly #handles: SecretHandle[] = [];

  constructor(seed: string) {
    this.#seed = seed;
  }

  addStored(secret: OpenSecret): void {
    const { name, value, hosts } = secret;
    this.#hidden.set(name, value);
    this.#stored.set(name, name);
    if (hosts === null) this.#secrets.set(name, value);
    else this.addHandle(toHandle(secret, handleText(this.#seed, name)), name);
  }

  addGiven(name: string, value: string): void {
    this.#secrets.set(name, value);
    this.#hidden.set(name, value);
  }

  addHandle(handle: SecretHandle, name: string | null): void {
    if (!this.#handles.some(({ text }) => text === handle.text)) this.#handles.push(handle);
    if (name !== null) this.#secrets.set(name, handle.text);
  }

  /** A caller may hand its secrets on inside the input, so they are hidden below it, too. */
  inherit({ hidden, stored, handles }: CallSecrets): void {
    for (const [name, value] of Object.entries(hidden)) {
      let label = name;
      while (this.#hidden.has(label) && this.#hidden.get(label) !== value) label += " of the caller";
      if (!this.#hidden.has(label)) this.addInherited(label, value, stored[name] ?? null);
    }
    for (const handle of handles) this.addHandle(handle, null);
  }

  addInherited(label: string, value: string, storedName: string | null): void {
    this.#hidden.set(label, value);
    if (storedName !== null) this.#stored.set(label, storedName);
  }

  get all(): CallSecrets {
    return {
      secrets: Object.fromEntries(this.#secrets),
      hidden: Object.fromEntries(this.#hidden),
      handles: this.#handles,
      stored: Object.fromEntries(this.#stored),
    };
  }
}

/** What a call gives wins over what is stored under the same name. */
export function gatherSecrets(parts: {
  readonly granted: Granted;
  readonly given: Values;
  /** Those of the execution that calls it. */
  readonly parent: CallSecrets | null;
  readonly seed: string;
}): CallSecrets {
  const { granted, given, parent, seed } = parts;
  const inherits = parent !== null && hasAny(parent.hidden);
  if (granted.secrets.length === 0 && !inherits && !hasAny(given)) return NO_CALL_SECRETS;
  const gathering = new Gathering(seed);
  for (const secret of granted.secrets) if (!Object.hasOwn(given, secret.name)) gathering.addStored(secret);
  for (const [name, value] of Object.entries(given)) gathering.addGiven(name, value);
  if (parent !== null) gathering.inherit(parent);
  return gathering.all;
}

/** The names that a row keeps, so that the same secrets can be found again. */
export function namesOf({ secrets, hidden, stored, handles }: CallSecrets): SecretNames {
  if (!hasAny(hidden)) return {};
  const names = Object.keys(secrets);
  const unseen = names.filter((name) => secrets[name] !== hidden[name]);
  const inherited = Object.entries(stored).filter(([label]) => !Object.hasOwn(secrets, label));
  const texts = new Set(Object.values(secrets));
  const taken = handles.filter(({ text }) => !texts.has(text));
  return {
    ...(names.length === 0 ? {} : { secret_names: names }),
    ...(unseen.length === 0 ? {} : { secret_handles: unseen }),
    ...(inherited.length === 0 ? {} : { inherited_secrets: Object.fromEntries(inherited) }),
    ...(taken.length === 0
      ? {}
      : { inherited_handles: Object.fromEntries(taken.map(({ text, name }) => [text, name])) }),
  };
}

/** Which execution looks for its secrets again. */
export interface SecretsOwner {
  readonly accountId: string;
  /** Of its workflow. */
  readonly ref: string;
  readonly seed: string;
}

function take(from: ReadonlyMap<string, OpenSecret>, name: string): OpenSecret {
  const found = from.get(name);
  if (found !== undefined) return found;
  const message = `The stored secret ${JSON.stringify(name)}, which the execution began with, was deleted or taken from its workflow.`;
  throw fail("SECRETS_LOST", { message, secret: name });
}

const byName = (secrets: readonly OpenSecret[]) => new Map(secrets.map((secret) => [secret.name, secret]));

function addCallers(gathering: Gathering, accountId: string, names: SecretNames, source: SecretSource): void {
  const { inherited_secrets: inherited = {}, inherited_handles: texts = {} } = names;
  const known = byName(source.named(accountId, [...Object.values(inherited), ...Object.values(texts)]));
  for (const [label, name] of Object.entries(inherited)) gathering.addInherited(label, take(known, name).value, name);
  for (const [text, name] of Object.entries(texts)) gathering.addHandle(toHandle(take(known, name), text), null);
}

/** The stored secrets of an execution that goes on from its row and was given none, as they are now; SECRETS_LOST when one is gone. */
export function restoreSecrets(owner: SecretsOwner, names: SecretNames, source: SecretSource): CallSecrets {
  const { secret_names: own = [], inherited_secrets: inherited = {}, inherited_handles: texts = {} } = names;
  if (own.length === 0 && !hasAny(inherited) && !hasAny(texts)) return NO_CALL_SECRETS;
  const { accountId, ref, seed } = owner;
  const granted = byName(source.granted(accountId, ref).secrets);
  const gathering = new Gathering(seed);
  for (const name of own) gathering.addStored(take(granted, name));
  addCallers(gathering, accountId, names, source);
  return gathering.all;
}

/**
 * The secrets of an execution that repeats the beginning of another one, in the order that the other had them:
 * those that are given, else stored ones. INVALID_REQUEST when one is neither.
 */
export function secretsAgain(
  owner: SecretsOwner,
  names: SecretNames,
  given: Values,
  source: SecretSource,
): CallSecrets {
  const { secret_names: before = [] } = names;
  const granted = byName(source.granted(owner.accountId, owner.ref).secrets);
  const missing = before.filter((name) => !Object.hasOwn(given, name) && !granted.has(name));
  if (missing.length > 0) {
    const message = `secrets: ${missing.join(", ")} must be given again: values of secrets that come with a call are never stored`;
    throw fail("INVALID_REQUEST", { message, param: "secrets", missing });
  }
  const gathering = new Gathering(owner.seed);
  for (const name of new Set([...before, ...granted.keys(), ...Object.keys(given)])) {
    const value = given[name];
    if (value === undefined) gathering.addStored(take(granted, name));
    else gathering.addGiven(name, value);
  }
  addCallers(gathering, owner.accountId, names, source);
  return gathering.all;
}

/** The same secrets for an execution with another seed: its own handles have other texts. */
export function withSeed(all: CallSecrets, seed: string): CallSecrets {
  const own = new Set(Object.values(all.secrets));
  const handles = all.handles.map((handle) =>
    own.has(handle.text) ? { ...handle, text: handleText(seed, handle.name) } : handle,
  );
  const texts = new Map(all.handles.map(({ text }, i) => [text, handles[i]?.text ?? text]));
  const secrets = Object.entries(all.secrets).map(([name, value]) => [name, texts.get(value) ?? value]);
  return { ...all, handles, secrets: Object.fromEntries(secrets) };
}

/** The hidden values that are stored ones: those who call are not shown them. */
export function storedValues({ hidden, stored }: Pick<CallSecrets, "hidden" | "stored">): Values {
  return Object.fromEntries(Object.keys(stored).map((label) => [label, hidden[label] ?? ""]));
}
