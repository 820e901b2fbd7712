import { asNumber, asRecord, asText, type JsonRecord } from "./json.ts";
import type { Terminal } from "./terminal.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A span of time as a person reads it: `8 ms`, `1.25 s`, `3.2 min`, `5.0 h`; `–` when unknown. */
export function showSpan(ms: unknown): string {
  if (typeof ms !== "number") return "–";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${(ms / 1_000).toFixed(2)} s`;
  return ms < HOUR_MS ? `${(ms / MINUTE_MS).toFixed(1)} min` : `${(ms / HOUR_MS).toFixed(1)} h`;
}

/** An amount in USD; `–` for nothing. */
export function showCost(usd: unknown): string {
  return typeof usd === "number" && usd > 0 ? `$${usd.toFixed(usd < 0.01 ? 6 : 4)}` : "–";
}

/** A number of tokens; `–` for none. */
export function showTokens(usage: unknown): string {
  const tokens = asNumber(asRecord(usage)["total_tokens"]) ?? 0;
  return tokens > 0 ? String(tokens) : "–";
}

/** A status in its colour. */
export function paintStatus(status: string, terminal: Terminal): string {
  if (status === "failed") return terminal.red(status);
  if (status === "completed") return terminal.green(status);
  return status === "cancelled" ? terminal.dim(status) : terminal.yellow(status);
}

/** The status of a run and, where it failed, why. */
export function showEnding(run: JsonRecord, terminal: Terminal): string {
  const status = paintStatus(asText(run["status"]) ?? "unknown", terminal);
  const message = asText(asRecord(run["error"])["message"]);
  return message === null ? status : `${status}: ${message}`;
}
