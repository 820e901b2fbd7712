import type { ErrorRecord } from "../../../runtime/index.ts";
import type { Page } from "../rows.ts";

/** One state of a datastore that readers may be at; its rows never change. */
export interface DatastoreRevision {
  /** Rises with every change, from 1. */
  readonly revision: number;
  /** Number of the file that has it. */
  readonly base: number;
  /** JSON text of its DatastoreSchema. */
  readonly schema: string;
  readonly rows: number;
  /** Size of the file, bytes. */
  readonly bytes: number;
}

/** A users' record store. */
export interface Datastore {
  /** `ds_<32 hex digits>`. */
  readonly id: string;
  readonly accountId: string;
  /** Unique within the account. */
  readonly name: string;
  /** JSON text: the columns and indexes that its owner asked for. */
  readonly definition: string;
  /** What readers see; null before the first records. */
  readonly current: DatastoreRevision | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What an execution reads of one datastore, from its start to its end; base and revision are 0 for one without records. */
export interface DatastorePin {
  readonly id: string;
  readonly base: number;
  readonly revision: number;
}

/** The state of an import. */
export type DatastoreImportState =
  | { readonly status: "queued" }
  | { readonly status: "running"; readonly startedAt: number }
  | {
      readonly status: "complete";
      readonly startedAt: number;
      readonly endedAt: number;
      readonly revision: number;
      readonly rows: number;
      /** What its owner should know, such as columns of mixed types. */
      readonly warnings: readonly string[];
    }
  | { readonly status: "failed" | "cancelled"; readonly endedAt: number; readonly error: ErrorRecord };

/** New content of a datastore on its way in; the bytes are in a file named after the id. */
export interface NewDatastoreImport {
  /** `imp_<32 hex digits>`. */
  readonly id: string;
  readonly accountId: string;
  readonly datastoreId: string;
  readonly format: string;
  /** Name of the API key whose daily pool pays for it along with the account's; null = none. */
  readonly payer: string | null;
  /** JSON text of the format's options. */
  readonly options: string;
  /** JSON text: the definition that the datastore has from then on. */
  readonly definition: string;
  /** Size of the uploaded bytes. */
  readonly bytes: number;
  readonly createdAt: number;
}

/** What the embeddings of an import took; only grows. */
export interface DatastoreImportUsage {
  readonly tokens: number;
  readonly costUsd: number;
}

/** A stored import. */
export interface DatastoreImport extends NewDatastoreImport {
  readonly usage: DatastoreImportUsage;
  readonly state: DatastoreImportState;
}

/** One file of a datastore. */
export interface DatastoreFile {
  readonly accountId: string;
  readonly datastoreId: string;
  readonly base: number;
}

interface DatastoreKey {
  readonly accountId: string;
  readonly datastoreId: string;
}

/** Datastores of accounts: what there is, which file readers are at, and what is on its way in. Their records are not here. */
export interface DatastoreStore {
  /** Adds one without records; CONFLICT when the account has one of that name, RATE_LIMITED when it has `max` already. */
  addDatastore(params: {
    readonly datastore: Omit<Datastore, "current" | "updatedAt">;
    readonly max: number;
  }): Promise<Datastore>;
  /** By name or by id, within the account. */
  findDatastore(params: { readonly accountId: string; readonly key: string }): Promise<Datastore | null>;
  /** By name. */
  listDatastores(params: {
    readonly accountId: string;
    readonly limit: number;
    readonly offset: number;
  }): Promise<Page<Datastore>>;
  /** Takes it and its imports away and gives its files up; false when unknown. */
  removeDatastore(params: DatastoreKey & { readonly now: number }): Promise<boolean>;
  /** The next number for a file of it, never given twice; null when it is gone. */
  nextDatastoreBase(params: DatastoreKey): Promise<number | null>;
  /**
   * Readers to come are at `to`: the file of before is given up when it is another. False, and nothing is changed, when
   * it is gone or no longer at `from` (0 = it has no records yet).
   */
  moveDatastore(
    params: DatastoreKey & { readonly from: number; readonly to: DatastoreRevision; readonly now: number },
  ): Promise<boolean>;
  /** Adds a queued import; RATE_LIMITED when the account has `max` that have not ended, NOT_FOUND when the datastore is gone. Keeps the newest `keep` ended ones of the datastore. */
  addDatastoreImport(params: {
    readonly item: NewDatastoreImport;
    readonly max: number;
    readonly keep: number;
  }): Promise<void>;
  findDatastoreImport(params: DatastoreKey & { readonly importId: string }): Promise<DatastoreImport | null>;
  /** Newest first. */
  listDatastoreImports(params: DatastoreKey & { readonly limit: number }): Promise<readonly DatastoreImport[]>;
  /** All that have not ended, oldest first; those that were running are queued again. For the start of a server. */
  reopenDatastoreImports(): Promise<readonly DatastoreImport[]>;
  /** Marks a queued one as running; false when it is no longer queued. */
  beginDatastoreImport(params: { readonly importId: string; readonly now: number }): Promise<boolean>;
  /** As moveDatastore, the import's definition and end in the same transaction; false when the import was cancelled, the datastore is gone or no longer at `from`. */
  completeDatastoreImport(params: {
    readonly importId: string;
    readonly from: number;
    readonly to: DatastoreRevision;
    readonly warnings: readonly string[];
    readonly usage: DatastoreImportUsage;
    readonly now: number;
  }): Promise<boolean>;
  /** Ends one that has not ended; false when it had. */
  endDatastoreImport(params: {
    readonly importId: string;
    readonly status: "failed" | "cancelled";
    readonly error: ErrorRecord;
    readonly usage: DatastoreImportUsage;
    readonly now: number;
  }): Promise<boolean>;
  /** Every file that is in use or was given up, for finding those that nobody knows. */
  datastoreFiles(): Promise<readonly DatastoreFile[]>;
  /** Files that were given up before `before` and that no unfinished execution is pinned to, up to `limit`. An execution is pinned to what the `datastores` member of its data names, which stands first there. */
  unusedDatastoreFiles(params: { readonly before: number; readonly limit: number }): Promise<readonly DatastoreFile[]>;
  /** Forgets a file that was removed. */
  forgetDatastoreFile(params: DatastoreFile): Promise<void>;
}
