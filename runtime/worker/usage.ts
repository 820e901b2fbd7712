import type { Usage } from "../execution.ts";
import type { ReplayRecord, SpentUsage } from "../journal-record.ts";

/** Sums what the ops of one execution took. */
export class UsageSum {
  #promptTokens = 0;
  #completionTokens = 0;
  #costUsd = 0;
  #ops = 0;
  cpuMs = 0;

  /** Adds a finished op with an outside effect. */
  charge(meter: SpentUsage): void {
    this.#ops++;
    this.#promptTokens += meter.promptTokens;
    this.#completionTokens += meter.completionTokens;
    this.#costUsd += meter.costUsd;
  }

  /** Adds what was recorded of finished ops. */
  chargeAll(records: readonly Pick<ReplayRecord, "meter">[]): void {
    for (const { meter } of records) if (meter !== null) this.charge(meter);
  }

  total(): Usage {
    return {
      promptTokens: this.#promptTokens,
      completionTokens: this.#completionTokens,
      costUsd: this.#costUsd,
      ops: this.#ops,
      cpuMs: this.cpuMs,
    };
  }
}
