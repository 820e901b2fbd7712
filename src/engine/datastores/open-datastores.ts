import { join } from "node:path";
import { fail } from "../../../runtime/index.ts";
import { createDatastores, type Datastores } from "./create-datastores.ts";
import { openDisk } from "./disk.ts";
import type { DatastoreParts } from "./run-import.ts";

export type { Datastores } from "./create-datastores.ts";

/** What an operator chooses about datastores. */
export interface DatastoreChoices {
  readonly dataDir: string;
  readonly datastoreImports: number;
  readonly datastoreKeepMs: number;
  readonly minFreeDiskMb: number;
}

const MIB = 1024 * 1024;

/** Makes the service over the directory in the data directory. */
export async function openDatastores(
  given: Omit<DatastoreParts, "disk" | "closing" | "now">,
  { dataDir, datastoreImports: maxImports, datastoreKeepMs, minFreeDiskMb }: DatastoreChoices,
): Promise<Datastores> {
  const { limits } = given;
  const { maxImportBytes, timeoutMs, streamTimeoutMs } = limits;
  const root = join(dataDir, "datastores");
  const disk = await openDisk({ root, minFreeBytes: minFreeDiskMb * MIB, maxImportBytes });
  const closing = new AbortController();
  // Calls that wait in memory are pinned to files before the store knows of them.
  const keepMs = Math.max(datastoreKeepMs, timeoutMs, streamTimeoutMs);
  const parts = { ...given, disk, closing: closing.signal, now: Date.now };
  const datastores = createDatastores(parts, { maxImports, keepMs });
  return {
    ...datastores,
    async stop() {
      closing.abort(fail("STOPPING"));
      await datastores.stop();
    },
  };
}
