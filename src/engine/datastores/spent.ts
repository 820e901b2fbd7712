import type { DatastoreImportUsage } from "../../store/store.ts";

/** Sums what some model calls, whose attempts report anew, took. */
export class Spent {
  readonly #calls = new Map<number, { readonly tokens: number; readonly costUsd: number }>();

  /** What a call, told apart by its number, reports to. */
  meter(call: number) {
    return ({ promptTokens, completionTokens, costUsd }: Meter) =>
      void this.#calls.set(call, { tokens: promptTokens + completionTokens, costUsd });
  }

  get total(): DatastoreImportUsage {
    const sum = { tokens: 0, costUsd: 0 };
    for (const { tokens, costUsd } of this.#calls.values()) {
      sum.tokens += tokens;
      sum.costUsd += costUsd;
    }
    return sum;
  }
}

interface Meter {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number;
}
