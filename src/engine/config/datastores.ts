import { DATASTORE_NAME } from "../datastores/attach.ts";
import { refuse } from "./value.ts";

const MAX_NAMES = 100;

/** Names of the datastores that a script reads; throws BUNDLE_FAILED naming the member, the rule and the value. */
export function parseDatastores(path: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_NAMES)
    throw refuse(path, `a list of at most ${MAX_NAMES} names of datastores`, value);
  const wrong = value.find((name) => typeof name !== "string" || !DATASTORE_NAME.test(name));
  if (wrong !== undefined) throw refuse(path, 'names of datastores such as "rulings"', wrong);
  return Object.freeze(value.map(String));
}
