import type { DatastoreAt } from "../execution.ts";
import type { Embeddings, EmbedRequest } from "../models/embed.ts";
import type { ModelUsage } from "../models/usage.ts";
import type { Ingest } from "./ingest/types.ts";
import type { QueryClient } from "./types.ts";

/** What the server does with the files of datastores; everything heavy happens in processes of their own. */
export interface DatastoreRuntime {
  readonly queries: QueryClient;
  readonly ingest: Ingest;
  /** Makes texts into vectors, by the model of the name or by the configured one. */
  embed(request: EmbedRequest, meter: (usage: ModelUsage) => void): Promise<Embeddings>;
  /** Path of the file of a datastore; CAPABILITY_DENIED where this process has none. */
  fileOf(accountId: string, at: Pick<DatastoreAt, "id" | "base">): string;
}
