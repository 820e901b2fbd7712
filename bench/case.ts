import type { Program } from "./program.ts";
import type { Row } from "./row.ts";

/** What every case may use. */
export interface Bench {
  readonly quick: boolean;
  /** Directory for CPU profiles; null = none wanted. */
  readonly profileDir: string | null;
  /** Base URL of the service that scripts call. */
  readonly upstream: string;
  readonly upstreamProgram: Program;
}

/** A case that measures in its own way, with servers of its own. */
export interface Case {
  readonly name: string;
  /** One sentence on what is measured and how. */
  readonly about: string;
  run(bench: Bench): Promise<readonly Row[]>;
}
