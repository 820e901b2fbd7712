const DAY_MS = 86_400_000;

/** Day of a number of days since 1970 as ISO 8601; throws RangeError outside the years ±271821. */
export function isoDate(days: number): string {
  const text = new Date(days * DAY_MS).toISOString();
  return text.slice(0, text.indexOf("T"));
}

/** Moment since 1970 in units of 10^-digits seconds as ISO 8601 with all its digits (at least three). */
export function isoTime(value: bigint, digits: 3 | 6 | 9): string {
  const unit = 10n ** BigInt(digits);
  const fraction = ((value % unit) + unit) % unit;
  const seconds = Number((value - fraction) / unit);
  const text = new Date(seconds * 1_000).toISOString();
  return `${text.slice(0, text.indexOf("."))}.${String(fraction).padStart(digits, "0")}Z`;
}
