import { findOp } from "../capabilities/index.ts";
import { isPureRead } from "./guest-report.ts";

/** Whether one execution has touched anything but its input so far. */
export interface Purity {
  /** Notes an op that the guest made. */
  made(op: string): void;
  /** True when its ops and `reads` (bits of the guest's report) leave the result to the input alone. */
  holds(reads: number): boolean;
}

/** Begins with nothing touched; `tell` is called once, at the first op with an outside or time effect. */
export function createPurity(tell: () => void): Purity {
  let touched = false;
  return {
    made(op) {
      if (touched || findOp(op)?.effect === "pure") return;
      touched = true;
      tell();
    },
    holds: (reads) => !touched && isPureRead(reads),
  };
}
