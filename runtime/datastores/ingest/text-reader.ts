import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { BLOCK_BYTES, type Source } from "./batch.ts";
import { badInput, type Place } from "./problem.ts";

type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** A part of a text file, in order. */
export interface TextBlock {
  readonly text: string;
  /** Of the file, read so far. */
  readonly bytes: number;
  readonly last: boolean;
}

interface Bytes {
  /** Valid until the next one is asked for. */
  readonly data: Buffer;
  readonly end: number;
  readonly last: boolean;
}

/** Bytes of a file in order; at least one block. */
function* readBlocks(path: string): Generator<Bytes> {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
    for (let end = 0; ; ) {
      const got = readSync(file, buffer, 0, BLOCK_BYTES, end);
      end += got;
      const last = got === 0 || end >= size;
      yield { data: buffer.subarray(0, got), end, last };
      if (last) return;
    }
  } finally {
    closeSync(file);
  }
}

const startsWith = (data: Buffer, ...bytes: number[]) => bytes.every((byte, at) => data[at] === byte);

function detectEncoding(data: Buffer, source: Source): { readonly encoding: Encoding; readonly bom: number } {
  if (startsWith(data, 0xff, 0xfe, 0, 0) || startsWith(data, 0, 0, 0xfe, 0xff)) {
    throw badInput({ format: source.format }, { problem: "expected UTF-8 or UTF-16, the file is UTF-32" });
  }
  if (startsWith(data, 0xff, 0xfe)) return { encoding: "utf-16le", bom: 2 };
  if (startsWith(data, 0xfe, 0xff)) return { encoding: "utf-16be", bom: 2 };
  return { encoding: "utf-8", bom: startsWith(data, 0xef, 0xbb, 0xbf) ? 3 : 0 };
}

/** Number of `mark` in a text before `end`. */
export function countMarks(text: string, mark: string, end = text.length): number {
  let count = 0;
  for (let at = text.indexOf(mark); at !== -1 && at < end; at = text.indexOf(mark, at + 1)) count++;
  return count;
}

/** Line and column of a character, by reading the file once more. */
function placeOf(source: Source, encoding: Encoding, offset: number): Place {
  const decoder = new TextDecoder(encoding);
  let line = 1;
  let seen = 0;
  let lineStart = 0;
  for (const { data, last } of readBlocks(source.path)) {
    const text = decoder.decode(data, { stream: !last });
    const end = Math.min(text.length, offset - seen);
    line += countMarks(text, "\n", end);
    const newline = end === 0 ? -1 : text.lastIndexOf("\n", end - 1);
    if (newline !== -1) lineStart = seen + newline + 1;
    seen += text.length;
    if (seen >= offset) break;
  }
  return { format: source.format, line, column: offset - lineStart + 1 };
}

/** Characters that a decoder gives for a block before the byte it refuses. */
function charsBeforeFault(source: Source, encoding: Encoding, skipBlocks: number): number {
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  let block = 0;
  let chars = 0;
  for (const { data, last } of readBlocks(source.path)) {
    if (block++ < skipBlocks) {
      decoder.decode(data, { stream: true });
      continue;
    }
    try {
      for (let at = 0; at < data.length; at++) {
        chars += decoder.decode(data.subarray(at, at + 1), { stream: !(last && at === data.length - 1) }).length;
      }
    } catch {
      break;
    }
    break;
  }
  return chars;
}

/**
 * Text of a file, block by block: UTF-8 (a byte order mark is dropped), or UTF-16 where a mark says so.
 * Invalid bytes and NUL characters are errors with line and column.
 */
export function* readText(source: Source): Generator<TextBlock> {
  let encoding: Encoding = "utf-8";
  let bom = 0;
  let decoder: TextDecoder | null = null;
  let chars = 0;
  let blocks = 0;
  for (const { data, end, last } of readBlocks(source.path)) {
    if (decoder === null) {
      ({ encoding, bom } = detectEncoding(data, source));
      decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
    }
    let text: string;
    try {
      text = decoder.decode(blocks === 0 ? data.subarray(bom) : data, { stream: !last });
    } catch {
      const inBlock = charsBeforeFault(source, encoding, blocks) - (blocks === 0 && bom > 0 ? 1 : 0);
      throw badInput(placeOf(source, encoding, chars + inBlock), {
        problem: `expected ${encoding.toUpperCase()}, found bytes that are not`,
      });
    }
    const nul = text.indexOf("\0");
    if (nul !== -1) {
      throw badInput(placeOf(source, encoding, chars + nul), {
        problem: "expected text, found a NUL character; a UTF-16 file must begin with a byte order mark",
      });
    }
    chars += text.length;
    blocks++;
    yield { text, bytes: end, last };
  }
}
