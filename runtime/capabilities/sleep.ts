import { setTimeout as delay } from "node:timers/promises";
import { fail } from "../errors.ts";
import { type Capability, defineOp } from "./capability.ts";

const MAX_STEP_MS = 2_147_483_647;

const sleepUntil = defineOp<number>({
  effect: "time",
  parse: (args) => {
    const until = (args as { until?: unknown } | null)?.until;
    if (typeof until === "number" && Number.isFinite(until)) return until;
    throw fail("INVALID_ARGUMENT", { message: `sleep: until must be a time in milliseconds, got ${String(until)}` });
  },
  async run(until, { signal, park }) {
    park(until);
    for (let left = until - Date.now(); left > 0; left = until - Date.now()) {
      await delay(Math.min(left, MAX_STEP_MS), undefined, { signal });
    }
    return "null";
  },
});

/** ctx.sleep. A long one parks the execution: see worker/run.ts. */
export const sleep: Capability = {
  name: "sleep",
  ops: { sleep: sleepUntil },
  declaration: `  /** Waits. The wake-up time survives restarts; a long sleep costs no memory. Milliseconds, or "10s", "5m", "2h", "3d". */
  sleep(duration: number | string): Promise<void>;`,
  doc: {
    member: "sleep(duration)",
    sentence: "Waits; the wake-up time survives restarts and a long sleep costs no memory.",
    limits: ["timeoutMs"],
  },
};
