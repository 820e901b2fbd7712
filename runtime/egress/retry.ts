const BASE_MS = 250;
const MAX_BACKOFF_MS = 8_000;

/** Milliseconds a server asked to wait (`retry-after-ms`, or `retry-after` in seconds or as a date), or null. */
export function retryAfterMs(headers: Readonly<Record<string, string>>): number | null {
  const exact = Number(headers["retry-after-ms"]);
  if (headers["retry-after-ms"] !== undefined && Number.isFinite(exact) && exact >= 0) return exact;
  const text = headers["retry-after"];
  if (text === undefined) return null;
  if (/^\d+(\.\d+)?$/.test(text.trim())) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

/** Exponential backoff with jitter: between half of and the whole of 250 ms × 2^(attempt - 1), at most 8 s. */
export function backoffMs(attempt: number): number {
  const full = Math.min(MAX_BACKOFF_MS, BASE_MS * 2 ** (attempt - 1));
  return full / 2 + Math.random() * (full / 2);
}
