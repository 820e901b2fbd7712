import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail } from "../errors.ts";
import type { DatastoreAt } from "../execution.ts";
import type { Limits } from "../limits.ts";
import { datastoreFile } from "./files.ts";
import { createPointReader } from "./open-readers.ts";
import { createQueryClient } from "./query-client.ts";
import type { PointReader, QueryClient } from "./types.ts";

/** Where the files are, and how they may be read. */
export interface AccessOptions {
  /** Directory of all datastores; null where there are none. */
  readonly root: string | null;
  readonly limits: Limits;
}

/** What a worker thread reads datastores with. */
export interface DatastoreAccess {
  /** Path of the file that an execution is at; CAPABILITY_DENIED where this process has none. */
  fileOf(accountId: string, at: Pick<DatastoreAt, "id" | "base">): string;
  readonly points: PointReader;
  readonly queries: QueryClient;
  close(): Promise<void>;
}

/** Path of a file below `root`; CAPABILITY_DENIED without one. */
export function fileBelow(
  root: string | null,
  accountId: string,
  { id, base }: Pick<DatastoreAt, "id" | "base">,
): string {
  if (root !== null) return datastoreFile(root, { accountId, id, base });
  const message = "datastore: there are no datastores here, and the recording does not have this read";
  throw fail("CAPABILITY_DENIED", { message });
}

/** Where the processes of SQLite put what does not fit in memory: on the disk that has the datastores. */
export const temporaryOf = (root: string | null): string => (root === null ? tmpdir() : join(root, "temporary"));

/** Makes the access of one thread; its query processes are started when they are first needed. */
export function createDatastoreAccess({ root, limits }: AccessOptions): DatastoreAccess {
  const points = createPointReader(limits);
  const queries = createQueryClient({ limits, temporary: temporaryOf(root) });
  return {
    fileOf: (accountId, at) => fileBelow(root, accountId, at),
    points,
    queries,
    async close() {
      points.close();
      await queries.close();
    },
  };
}
