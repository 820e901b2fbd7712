import type { CachedResult } from "../rows.ts";

/** The result cache. */
export interface ResultStore {
  readResult(params: { readonly key: string; readonly now: number }): Promise<CachedResult | null>;
  writeResult(params: {
    readonly key: string;
    readonly workflowId: string;
    readonly result: CachedResult;
  }): Promise<void>;
  /** Removes up to `max` results: expired ones, then the oldest while all together exceed `maxBytes`; returns how many. Called again by the cache until 0. */
  pruneResults(params: { readonly now: number; readonly maxBytes: number; readonly max: number }): Promise<number>;
}
