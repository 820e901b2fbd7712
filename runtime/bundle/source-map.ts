import { SourceMap, type SourceMapPayload } from "node:module";
import { FOREIGN } from "./wrap.ts";

/** A place in the author's own source; line and column are 1-based. */
export interface SourceFrame {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A stack in the author's terms, and its topmost frame (null when no frame is the author's). */
export interface MappedStack {
  readonly stack: string;
  readonly frame: SourceFrame | null;
}

/** Longest stack that is read, in characters, and most frames kept. */
const MAX_STACK_CHARS = 65_536;
const MAX_FRAMES = 50;

const FRAME = /^\s+at /;

/**
 * Rewrites a guest's stack from positions in the bundle (called `scriptName` there) to the author's files. Frames of
 * Weft, of Node and of libraries are left out. Stacks come from scripts: any text is accepted.
 */
export function mapStack(sourceMapJson: string, stack: string, scriptName: string): MappedStack {
  const lines = stack.slice(0, MAX_STACK_CHARS).split("\n");
  const first = lines.findIndex((line) => FRAME.test(line));
  if (first < 0) return { stack: lines.join("\n"), frame: null };
  const map = new SourceMap(JSON.parse(sourceMapJson) as SourceMapPayload);
  const mapped: string[] = lines.slice(0, first);
  let top: SourceFrame | null = null;
  for (const line of lines.slice(first, first + MAX_FRAMES)) {
    const place = placeIn(line, scriptName);
    const frame = place === null ? null : findFrame(map, place);
    if (place === null || frame === null) continue;
    top ??= frame;
    mapped.push(frameText(line, place.text, frame));
  }
  return { stack: mapped.join("\n"), frame: top };
}

interface Place {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** The place `scriptName:L:C` that a frame ends with, or null when the frame is not in the bundle. */
function placeIn(line: string, scriptName: string): Place | null {
  const found = /:(\d{1,9}):(\d{1,9})\)?$/.exec(line);
  if (found === null || !FRAME.test(line)) return null;
  const start = found.index - scriptName.length;
  if (start < 1 || !line.startsWith(scriptName, start) || !/[\s(]/.test(line[start - 1] ?? "")) return null;
  return { text: line.slice(start).replace(/\)$/, ""), line: Number(found[1]), column: Number(found[2]) };
}

function findFrame(map: SourceMap, place: Place): SourceFrame | null {
  const entry = map.findEntry(place.line - 1, place.column - 1);
  if (!("originalSource" in entry) || entry.originalSource === FOREIGN || entry.originalSource === undefined)
    return null;
  return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

function frameText(line: string, place: string, { file, line: at, column }: SourceFrame): string {
  return line.replace(place, () => `${file}:${at}:${column}`);
}
