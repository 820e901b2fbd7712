import { READ } from "../../sandbox/wire.ts";
import { findOp } from "../capabilities/index.ts";
import { isPureRead } from "./guest-report.ts";

/** Whether one execution has touched anything but its input so far. */
export interface Purity {
  /** Notes an op that the guest made. */
  made(op: string): void;
  /** Notes that an op failed: the reason may have passed by the next time. */
  failed(): void;
  /** True when its ops and `reads` (bits of the guest's report) leave the result to the input alone. */
  holds(reads: number): boolean;
  /** True when its end may depend on when its last deliveries came, or on what only they hold: a replay needs them. Null: it is not known what it read, as it failed. */
  timed(reads: number | null): boolean;
}

/** Begins with nothing touched; `tell` is called once, at the first op with an outside or time effect. */
export function createPurity(tell: () => void): Purity {
  let touched = false;
  let waited = false;
  const touch = () => {
    if (touched) return;
    touched = true;
    tell();
  };
  return {
    made(op) {
      const found = findOp(op);
      const effect = found?.effect;
      waited ||= effect === "time" || found?.kept === true;
      if (effect !== "pure") touch();
    },
    failed: touch,
    holds: (reads) => !touched && isPureRead(reads),
    timed: (reads) => waited || reads === null || (reads & READ.clock) !== 0,
  };
}
