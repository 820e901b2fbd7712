import type { Limits } from "../limits.ts";
import { createModelClient } from "../models/client.ts";
import type { ModelConfig } from "../models/config.ts";
import { fileBelow, temporaryOf } from "./access.ts";
import type { DatastoreRuntime } from "./datastore-runtime.ts";
import { ingest } from "./ingest/ingest-client.ts";
import { createQueryClient } from "./query-client.ts";

/** What it stands on. */
export interface DatastoreRuntimeOptions {
  /** Directory of all datastores; null where there are none. */
  readonly root: string | null;
  readonly limits: Limits;
  readonly models: ModelConfig;
}

/** Makes the server's own access to datastores, beside that of its worker threads. */
export function createDatastoreRuntime(
  options: DatastoreRuntimeOptions,
): DatastoreRuntime & { close(): Promise<void> } {
  const { root, limits } = options;
  const models = createModelClient(options.models);
  const queries = createQueryClient({ limits, temporary: temporaryOf(root) });
  return {
    queries,
    ingest,
    embed: (request, meter) => models.embed(request, meter),
    fileOf: (accountId, at) => fileBelow(root, accountId, at),
    async close() {
      await Promise.all([queries.close(), models.close()]);
    },
  };
}
