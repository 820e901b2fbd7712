import type { CachedResult } from "../rows.ts";

/** The result cache. */
export interface ResultStore {
  readResult(params: { readonly key: string; readonly now: number }): Promise<CachedResult | null>;
  writeResult(params: {
    readonly key: string;
    readonly workflowId: string;
    readonly result: CachedResult;
  }): Promise<void>;
  /** Id of the execution whose result the cache gave to this one; null when it ran itself, or when that is not known. */
  resultOf(params: { readonly accountId: string; readonly executionId: string }): Promise<string | null>;
  /** Removes up to `max` results: expired ones, then the oldest while all together exceed `maxBytes`; returns how many. Called again by the cache until 0. */
  pruneResults(params: { readonly now: number; readonly maxBytes: number; readonly max: number }): Promise<number>;
}
