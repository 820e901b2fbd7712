import { fail } from "../../../runtime/index.ts";
import type { DatastorePin, Store, Version } from "../../store/store.ts";
import type { DeployRequest } from "../workflows.ts";

/** Names that a datastore may have. */
export const DATASTORE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** Datastores that one version may read. */
const MAX_ATTACHED = 100;

/** What a name must look like, for messages. */
export const NAME_RULE = 'must be 1 to 64 letters, digits, "_", "." or "-", beginning with a letter or digit';

/** Throws INVALID_REQUEST for a text that no datastore can have as its name. */
export function checkDatastoreName(name: string, param: string): void {
  if (DATASTORE_NAME.test(name)) return;
  throw fail("INVALID_REQUEST", { message: `${param}: ${NAME_RULE}, got ${JSON.stringify(name.slice(0, 80))}`, param });
}

type Asked = Pick<DeployRequest, "accountId" | "datastores" | "alsoDatastores">;

/** The datastores of the next version, in order: those asked for, else those of the newest one, and those that come with it. INVALID_REQUEST for one that the account does not have. */
export async function attachedTo(
  { accountId, datastores: asked, alsoDatastores: also = [] }: Asked,
  newest: Version | null,
  store: Pick<Store, "findDatastore">,
): Promise<readonly string[]> {
  const kept = newest?.datastores ?? [];
  if (asked === undefined && also.length === 0) return kept;
  const names = [...new Set([...(asked ?? kept), ...also])].toSorted();
  if (names.length > MAX_ATTACHED) {
    const message = `datastores: ${names.length} names, over ${MAX_ATTACHED}`;
    throw fail("INVALID_REQUEST", { message, param: "datastores", value: names.length });
  }
  for (const name of names) {
    checkDatastoreName(name, "datastores");
    if (asked === undefined && kept.includes(name)) continue;
    if ((await store.findDatastore({ accountId, key: name }))?.name === name) continue;
    const message = `datastores: there is no datastore ${JSON.stringify(name)}; make it first (weft datastores import ${name} <file>)`;
    throw fail("INVALID_REQUEST", { message, param: "datastores", datastore: name });
  }
  return names;
}

/** Revisions by the name under which a script reads them. */
export type Pins = Readonly<Record<string, DatastorePin>>;

const NO_PINS: Pins = Object.freeze({});

/** Where the datastores of these names are now; those that do not exist are left out. */
export async function pinsOf(
  accountId: string,
  names: readonly string[],
  store: Pick<Store, "findDatastore">,
): Promise<Pins> {
  if (names.length === 0) return NO_PINS;
  const found = await Promise.all(names.map((key) => store.findDatastore({ accountId, key })));
  return Object.fromEntries(
    found.flatMap((datastore, index) => {
      if (datastore === null || datastore.name !== names[index]) return [];
      const { id, name, current } = datastore;
      return [[name, { id, base: current?.base ?? 0, revision: current?.revision ?? 0 }]];
    }),
  );
}

/** What of the datastores a result depends on, as a text; empty without any. */
export function pinsText(pins: Pins | undefined): string {
  if (pins === undefined) return "";
  return Object.entries(pins)
    .map(([name, { id, revision }]) => `${name}=${id}@${revision}`)
    .toSorted()
    .join(",");
}
