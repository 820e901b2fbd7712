import { type KeyPath, parseKeyPath } from "./key-path.ts";
import { parseDuration, readMembers, refuse } from "./value.ts";

/** Background calls of one key within a delay become one execution with the last input. */
export interface Debounce {
  readonly key: KeyPath;
  /** Quiet time after the last call, ms. */
  readonly delayMs: number;
  /** Longest wait after the first call, ms. */
  readonly maxWaitMs: number;
}

const MAX_MS = 366 * 86_400_000;
/** Longest wait when the script does not say one, in delays. */
const DEFAULT_WAITS = 10;

/** Parses `config.debounce`; null when the script says nothing. */
export function parseDebounce(at: string, value: unknown): Debounce | null {
  if (value === undefined) return null;
  const { get, path } = readMembers(at, value, ["key", "delay", "maxWait"]);
  const delayMs = parseDuration(path("delay"), get("delay"));
  const longest = get("maxWait");
  const maxWaitMs = longest === undefined ? delayMs * DEFAULT_WAITS : parseDuration(path("maxWait"), longest);
  if (maxWaitMs < delayMs) throw refuse(path("maxWait"), `at least the delay, ${delayMs} ms`, longest);
  if (maxWaitMs > MAX_MS)
    throw refuse(
      path(longest === undefined ? "delay" : "maxWait"),
      `at most ${MAX_MS} ms in all`,
      longest ?? get("delay"),
    );
  return Object.freeze({ key: parseKeyPath(path("key"), get("key")), delayMs, maxWaitMs });
}
