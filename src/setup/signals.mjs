/** npm and the shell may each pass the same signal on; within this time it counts as one. */
const SAME_SIGNAL_MS = 200;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Passes the signals that end a process on to `child` instead of ending this one; returns the function that stops it. */
export function forwardSignals(child) {
  const lastSeen = new Map();
  const forward = (signal) => {
    // Ctrl-C in a terminal reaches every process of the foreground group, the child too: it must not get it twice.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    const now = Date.now();
    if (now - (lastSeen.get(signal) ?? 0) < SAME_SIGNAL_MS) return;
    lastSeen.set(signal, now);
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  return () => {
    for (const signal of SIGNALS) process.off(signal, forward);
  };
}
