import { join } from "node:path";
import { fail } from "../errors.ts";

const ACCOUNT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const DATASTORE = /^ds_[0-9a-f]{32}$/;

/** One file of a datastore. */
export interface DatastoreFileName {
  readonly accountId: string;
  /** `ds_<32 hex digits>`. */
  readonly id: string;
  /** Number of the file, from 1. */
  readonly base: number;
}

/** Directory of a datastore's files below `root`. Names that are none of ours are refused: a recording may come from anyone. */
export function datastoreDirectory(root: string, { accountId, id }: Omit<DatastoreFileName, "base">): string {
  if (ACCOUNT.test(accountId) && DATASTORE.test(id)) return join(root, accountId, id);
  throw fail("INVALID_ARGUMENT", { message: "datastore: the id is not one of a datastore", field: "datastore" });
}

/** Path of a file of a datastore below `root`. */
export function datastoreFile(root: string, name: DatastoreFileName): string {
  const { base } = name;
  if (Number.isSafeInteger(base) && base > 0) return join(datastoreDirectory(root, name), `${base}.db`);
  throw fail("INVALID_ARGUMENT", { message: "datastore: the number of its file is not valid", field: "datastore" });
}
