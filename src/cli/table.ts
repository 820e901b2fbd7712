import type { Terminal } from "./terminal.ts";

/** Rows under a heading, columns aligned by spaces. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
): readonly string[] {
  const widths = heading.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [terminal.dim(line(heading)), ...rows.map(line)];
}

/** A time in milliseconds or seconds since the epoch, or as ISO text, in one form: `2026-11-21 04:23:31Z`. */
export function showTime(time: unknown): string {
  const at = typeof time === "number" ? new Date(time < 1e11 ? time * 1000 : time) : new Date(String(time ?? ""));
  return Number.isNaN(at.getTime()) ? "" : `${at.toISOString().slice(0, 19).replace("T", " ")}Z`;
}
