import type { Readable } from "node:stream";
import type { DeclaredSchema, Format, IngestOptions, IngestProgress } from "../../../runtime/index.ts";
import type { Datastore, DatastoreImport, DatastoreImportUsage, Page } from "../types.ts";

/** Which datastore: by name or by id. */
export interface DatastoreName {
  readonly accountId: string;
  readonly key: string;
}

/** Columns and indexes that an owner asks for; a vector may leave its model and the count of its numbers to Weft. */
export interface DatastoreDefinition extends Omit<DeclaredSchema, "vector"> {
  readonly vector?: {
    readonly field: string;
    /** Null: as many as the model gives. */
    readonly dimensions: number | null;
    /** Columns whose text is made into the vector; null: the vector comes with the data. */
    readonly fields: readonly string[] | null;
    /** Null: the configured model. */
    readonly model: string | null;
  } | null;
}

/** Bytes on their way in. */
export interface IncomingBytes {
  readonly accountId: string;
  /** Left open by whoever stops reading. */
  readonly body: AsyncIterable<Uint8Array>;
  /** What the sender says of the size, bytes; null = nothing. */
  readonly length: number | null;
  /** Aborted when the sender goes away. */
  readonly signal: AbortSignal;
}

/** Bytes that are on the disk and belong to nothing yet. */
export interface Staged {
  /** The id of the import that they will be. */
  readonly id: string;
  readonly bytes: number;
}

/** A request that may make texts into vectors, within the daily pools. */
export interface PaidRequest extends DatastoreName {
  /** Name of the API key whose pool pays along with the account's; default none. */
  readonly payer?: string | null;
}

/** New content of a datastore. */
export interface ImportRequest extends PaidRequest {
  readonly format: Format;
  readonly options: Partial<IngestOptions>;
  /** Replaces the definition; null keeps it. */
  readonly definition: DatastoreDefinition | null;
  /** True: the datastore is made when there is none of that name. */
  readonly creates: boolean;
}

/** An import with how far it is; null when it does not run here. */
export interface ShownImport extends DatastoreImport {
  readonly datastore: string;
  readonly progress: IngestProgress | null;
}

/** What making texts into vectors took. */
export type EmbeddingUsage = DatastoreImportUsage;

/** What a change of records did. */
export interface ChangeReport {
  readonly usage: EmbeddingUsage;
  readonly revision: number;
  readonly rows: number;
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
}

/** A read, at the revision that readers come to now; aborted by its signal. */
export interface ReadRequest extends PaidRequest {
  readonly signal: AbortSignal;
}

/** JSON text of an answer, and the file and revision it is of. */
export interface ReadAnswer {
  readonly base: number;
  readonly revision: number;
  readonly text: string;
  readonly usage: EmbeddingUsage;
}

/** Formats of a download. */
export const DOWNLOAD_FORMATS = ["jsonl", "csv", "sqlite"] as const;

/** One of {@link DOWNLOAD_FORMATS}. */
export type DownloadFormat = (typeof DOWNLOAD_FORMATS)[number];

/** Record stores of accounts. NOT_FOUND (code `datastore_not_found`) for those of others and those that do not exist. */
export interface DatastoreService {
  create(params: {
    readonly accountId: string;
    readonly name: string;
    readonly definition: DatastoreDefinition;
  }): Promise<Datastore>;
  list(params: {
    readonly accountId: string;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Datastore>>;
  find(name: DatastoreName): Promise<Datastore>;
  /** Cancels its imports; running executions that are pinned to it keep what they read. */
  remove(name: DatastoreName): Promise<void>;

  /** Throws what an import of these bytes would be refused with before its bytes are read. */
  checkImport(request: Pick<ImportRequest, "accountId" | "key" | "creates">): Promise<void>;
  /** Takes bytes to the disk; whoever does not import them discards them. Leaves nothing when it fails. PAYLOAD_TOO_LARGE, RATE_LIMITED, OVERLOADED when the disk is full. */
  stage(incoming: IncomingBytes): Promise<Staged>;
  discard(staged: Staged): Promise<void>;
  /** Queues an import of staged bytes, which are its own from now on, also when it is refused; it survives the server once this resolves. */
  addImport(staged: Staged, request: ImportRequest): Promise<ShownImport>;
  /** Newest first; the last few. */
  imports(name: DatastoreName): Promise<readonly ShownImport[]>;
  import(params: DatastoreName & { readonly importId: string }): Promise<ShownImport>;
  /** Resolves when it has ended. */
  importEnd(params: DatastoreName & { readonly importId: string }): Promise<ShownImport>;
  /** CONFLICT when it has ended. */
  cancelImport(params: DatastoreName & { readonly importId: string }): Promise<ShownImport>;

  /** Adds records, or replaces those with the same id. CONFLICT while an import is on its way. */
  upsert(params: ReadRequest & { readonly records: readonly unknown[] }): Promise<ChangeReport>;
  /** Ids without a record are ignored. */
  removeRecords(params: ReadRequest & { readonly ids: readonly string[] }): Promise<ChangeReport>;

  /** List of data or null, in the order of the ids. */
  get(params: ReadRequest & { readonly ids: readonly string[] }): Promise<ReadAnswer>;
  count(params: ReadRequest & { readonly filter: unknown }): Promise<ReadAnswer>;
  /** `{ records, after }`. */
  scan(
    params: ReadRequest & {
      readonly filter: unknown;
      readonly limit: number;
      /** Where the page before ended: the file and revision it was of, and its last row; null for the first. */
      readonly after: { readonly base: number; readonly revision: number; readonly row: number } | null;
    },
  ): Promise<ReadAnswer>;
  /** List of hits; a text is made into a vector where the mode asks for one. */
  search(params: ReadRequest & { readonly params: Readonly<Record<string, unknown>> }): Promise<ReadAnswer>;
  /** `{ columns, rows }`. */
  query(params: ReadRequest & { readonly sql: string; readonly params: unknown }): Promise<ReadAnswer>;
  /** All records of the revision that readers come to now. */
  download(params: ReadRequest & { readonly format: DownloadFormat }): Promise<Readable>;
}
