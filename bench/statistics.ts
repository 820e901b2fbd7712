/** The value below which the share `q` (0 to 1) of the values lies; NaN when there are none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * q));
  return sorted[index] ?? Number.NaN;
}

/** The middle value, or the mean of the two in the middle; NaN when there are none. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const upper = Math.floor(sorted.length / 2);
  const lower = sorted.length % 2 === 0 ? upper - 1 : upper;
  return ((sorted[lower] ?? Number.NaN) + (sorted[upper] ?? Number.NaN)) / 2;
}

/** What one round of load measured. */
export interface Round {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  /** CPU time of the measured process and its descendants per request, µs; tells more than times on a busy machine. */
  readonly cpuMicros: number;
}

/** The median of each figure over several rounds. */
export function medianRound(rounds: readonly Round[]): Round {
  return {
    p50Ms: median(rounds.map((round) => round.p50Ms)),
    p99Ms: median(rounds.map((round) => round.p99Ms)),
    perSecond: median(rounds.map((round) => round.perSecond)),
    cpuMicros: median(rounds.map((round) => round.cpuMicros)),
  };
}

/** The median over the rounds of this throughput divided by the baseline's in the same round. */
export function medianRatio(rounds: readonly Round[], baseline: readonly Round[]): number {
  return median(rounds.map((round, index) => round.perSecond / (baseline[index]?.perSecond ?? Number.NaN)));
}
