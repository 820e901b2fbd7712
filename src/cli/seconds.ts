import { stop } from "./exit.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds of the value of a flag such as `90d`, `12h`, `5m` or `30s`; null for `never`, where that is allowed. */
export function secondsOf(flag: string, text: string, allowsNever = false): number | null {
  if (allowsNever && text === "never") return null;
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (count !== "" && Number.isFinite(seconds)) return seconds;
  const words = allowsNever ? ', or "never"' : "";
  throw stop("usage", `--${flag}: must be a time such as 90d, 12h, 5m or 30s${words}, got ${JSON.stringify(text)}`);
}

/** The value of a flag that is a limit: a whole number from 1, or null for `none`. */
export function limitOf(flag: string, text: string): number | null {
  if (text === "none") return null;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw stop("usage", `--${flag}: must be a whole number from 1, or "none", got ${JSON.stringify(text)}`);
}
