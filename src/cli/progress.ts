const WIDTH = 24;

/** How far something is, as a bar with a percentage; without a total, as an empty bar. */
export function progressText(done: number, total: number): string {
  const part = total > 0 ? Math.min(1, done / total) : 0;
  const full = Math.round(part * WIDTH);
  return `[${"█".repeat(full)}${"░".repeat(WIDTH - full)}] ${String(Math.floor(part * 100)).padStart(3)} %`;
}
