/**
 * Shell text in front of a child process that holds other people's code or data: where the kernel is Linux and out of
 * memory, it kills that process before the server. Does nothing elsewhere.
 */
export const FIRST_TO_GO = "{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null; ";
