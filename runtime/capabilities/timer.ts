import { setTimeout as delay } from "node:timers/promises";
import { type Capability, defineOp } from "./capability.ts";

const MAX_DELAY_MS = 2_147_483_647;

const wait = defineOp<number>({
  effect: "time",
  parse: (args) => {
    const ms = (args as { ms?: unknown } | null)?.ms;
    return typeof ms === "number" && ms >= 0 ? Math.min(ms, MAX_DELAY_MS) : 0;
  },
  async run(ms, { signal }) {
    await delay(ms, undefined, { signal });
    return "null";
  },
});

/** setTimeout and setInterval of the guest: each wait for a firing is one op of time. */
export const timer: Capability = {
  name: "timer",
  ops: { timer: wait },
  declaration: "",
  doc: {
    member: "setTimeout, setInterval",
    sentence: "Timers, fired in turns of the execution.",
    limits: ["maxConcurrentOps"],
  },
};
