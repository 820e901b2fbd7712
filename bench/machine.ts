import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";

/** What {@link readMachine} says. */
export type MachineFacts = ReturnType<typeof readMachine>;

/** The facts of this machine that figures depend on, at this moment. */
export function readMachine() {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? "unknown",
    memoryMib: Math.round(totalmem() / 2 ** 20),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    /** Runnable processes, mean of the last 1, 5 and 15 minutes. */
    loadAverage: loadavg().map((value) => Number(value.toFixed(2))),
  };
}
