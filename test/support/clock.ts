/** Preloaded into a spawned server and its threads: a clock that is wrong by some milliseconds, and jumps once. */
const before = Number(process.env["TEST_CLOCK_MS"] ?? 0);
const after = Number(process.env["TEST_CLOCK_THEN_MS"] ?? before);
/** Right time of the jump, ms since the epoch. */
const jumpAt = Number(process.env["TEST_CLOCK_JUMP_AT"] ?? Number.POSITIVE_INFINITY);
const now = Date.now;

Date.now = () => {
  const right = now();
  return right + (right < jumpAt ? before : after);
};
