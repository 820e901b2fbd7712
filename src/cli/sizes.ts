/** A number of bytes as a person reads it. */
export function sizeOf(bytes: number): string {
  return bytes < 100_000 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** How far a transfer is; a total of 0 is not known. */
export function progressOf(bytes: number, total: number): string {
  if (total === 0) return sizeOf(bytes);
  return `${sizeOf(bytes)} of ${sizeOf(total)} (${Math.min(100, Math.floor((100 * bytes) / total))} %)`;
}
