import type { Column } from "../types.ts";
import { countMarks } from "./text-reader.ts";

/** A part of a document. Offsets are characters of the text with line ends as one character; lines count from 1. */
export interface Chunk {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

/** How long chunks are, and how much of the one before each begins with; both in characters. */
export interface ChunkSize {
  readonly chars: number;
  readonly overlap: number;
}

/** Places to cut at, best first: behind a paragraph, a line, a sentence, a word. */
const CUTS = [/\n\s*\n/g, /\n/g, /[.!?…。！？]["')\]]?\s/g, /\s/g];

/** Where to end a chunk: the last good place in the second half of `text`'s first `chars` characters. */
function cutAt(text: string, chars: number): number {
  const from = Math.floor(chars / 2);
  const half = text.slice(from, chars);
  for (const cut of CUTS) {
    const found = [...half.matchAll(cut)].at(-1);
    if (found !== undefined) return from + found.index + found[0].length;
  }
  return isSplitPair(text, chars) ? chars - 1 : chars;
}

const isSplitPair = (text: string, at: number) => /^[\uD800-\uDBFF][\uDC00-\uDFFF]/.test(text.slice(at - 1, at + 1));

/** Where the next chunk begins: at a word, up to `overlap` characters before `end`. */
function overlapFrom(text: string, end: number, overlap: number): number {
  if (overlap === 0) return end;
  const from = Math.max(1, end - overlap);
  const word = /\s\S/.exec(text.slice(from, end));
  if (word !== null) return from + word.index + 1;
  return isSplitPair(text, from) ? from + 1 : from;
}

/** Cuts the text of sections that arrives part by part; holds no more than what makes one chunk. */
export class Chunker {
  readonly #size: ChunkSize;
  #text = "";
  /** Of the first character held. */
  #offset = 0;
  #line = 1;
  /** Characters held that the last chunk had, too. */
  #shared = 0;

  constructor(size: ChunkSize) {
    this.#size = size;
  }

  /** The chunks that are complete with this part. */
  *push(part: string): Generator<Chunk> {
    this.#text += part;
    const { chars, overlap } = this.#size;
    while (this.#text.length > chars) {
      const end = cutAt(this.#text, chars);
      yield* this.#chunk(end);
      const next = Math.max(overlapFrom(this.#text, end, overlap), 1);
      this.#advance(next);
      this.#shared = end - next;
    }
  }

  /** The rest of the section; what is pushed next begins a new one. */
  *flush(): Generator<Chunk> {
    if (this.#text.length > this.#shared) yield* this.#chunk(this.#text.length);
    this.#advance(this.#text.length);
    this.#shared = 0;
  }

  /** Passes over text that is in no chunk; between sections only. */
  skip(part: string): void {
    this.#text += part;
    this.#advance(this.#text.length);
  }

  *#chunk(end: number): Generator<Chunk> {
    const raw = this.#text.slice(0, end);
    const text = raw.trim();
    if (text === "") return;
    const lead = raw.length - raw.trimStart().length;
    const start = this.#offset + lead;
    yield { text, start, end: start + text.length, line: this.#line + countMarks(raw, "\n", lead) };
  }

  #advance(by: number): void {
    this.#line += countMarks(this.#text, "\n", by);
    this.#offset += by;
    this.#text = this.#text.slice(by);
  }
}

const column = (name: string, type: Column["type"]): Column => ({ name, type, nullable: false });

/** Columns of chunks; `heading` for documents that have headings. */
export function chunkColumns(heading: boolean): readonly Column[] {
  const id = column("id", "text");
  const rest = [
    column("text", "text"),
    column("start", "integer"),
    column("end", "integer"),
    column("line", "integer"),
  ];
  return heading ? [id, column("heading", "text"), ...rest] : [id, ...rest];
}

/** Id of a chunk: its place in the text, so the same text gives the same ids. */
export const chunkId = ({ start }: Chunk): string => String(start).padStart(10, "0");

/** Line ends as one character each, of text that arrives part by part. */
export class LineEnds {
  #held = "";

  normalize(part: string, last: boolean): string {
    const text = this.#held + part;
    const cut = !last && text.endsWith("\r") ? text.length - 1 : text.length;
    this.#held = text.slice(cut);
    return text.slice(0, cut).replace(/\r\n?/g, "\n");
  }
}
