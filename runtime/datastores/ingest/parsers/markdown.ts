import { Lexer, type Token } from "marked";
import type { Batch, Batches, Source } from "../batch.ts";
import { type Chunk, Chunker, chunkColumns, chunkId, LineEnds } from "../chunks.ts";
import { badInput } from "../problem.ts";
import { countMarks, readText } from "../text-reader.ts";

const COLUMNS = chunkColumns(true);
const NAMES = COLUMNS.map(({ name }) => name);

/** Text that the block parser sees at a time; a block that is longer counts as text. */
const WINDOW_CHARS = 256 * 1024;

const FRONT_MATTER = /^---[ \t]*\n[\s\S]{0,65536}?\n(?:---|\.\.\.)[ \t]*(?:\n|$)/;

/** Headings above a place, from the highest down. */
class HeadingPath {
  readonly #names: string[] = [];

  enter(depth: number, name: string): void {
    this.#names.length = Math.min(this.#names.length, depth - 1);
    while (this.#names.length < depth - 1) this.#names.push("");
    this.#names.push(name);
  }

  toString(): string {
    return this.#names.filter((name) => name !== "").join(" > ");
  }
}

type Row = readonly [string, Chunk];

/** Cuts a document into chunks that never span a heading. */
class Sections {
  readonly #source: Source;
  readonly #chunker: Chunker;
  readonly #path = new HeadingPath();
  #window = "";
  #line = 1;
  #begun = false;

  constructor(source: Source) {
    this.#source = source;
    this.#chunker = new Chunker({ chars: source.options.chunkChars, overlap: source.options.chunkOverlap });
  }

  *push(part: string, last: boolean, warnings: string[]): Generator<Row> {
    for (let at = 0; at < part.length || (last && at === 0); at += WINDOW_CHARS) {
      const end = at + WINDOW_CHARS;
      this.#window += part.slice(at, end);
      if (!this.#begun && (last || this.#window.length >= WINDOW_CHARS || end < part.length)) this.#begin(warnings);
      yield* this.#take(last && end >= part.length);
    }
    if (last) yield* this.#flush();
  }

  #begin(warnings: string[]): void {
    this.#begun = true;
    const front = FRONT_MATTER.exec(this.#window)?.[0];
    if (front === undefined) return;
    warnings.push("The front matter of the document is in no chunk.");
    this.#chunker.skip(front);
    this.#drop(front.length);
  }

  *#take(last: boolean): Generator<Row> {
    const tokens = this.#tokens();
    // The last block may go on behind the window.
    const keep = last || (tokens.length === 1 && this.#window.length > WINDOW_CHARS) ? 0 : 1;
    for (const token of tokens.slice(0, tokens.length - keep)) {
      if (token.type === "heading") {
        yield* this.#flush();
        this.#path.enter(Number(token["depth"]), String(token["text"]));
      }
      for (const chunk of this.#chunker.push(this.#window.slice(0, token.raw.length)))
        yield [String(this.#path), chunk];
      this.#drop(token.raw.length);
    }
  }

  *#flush(): Generator<Row> {
    for (const chunk of this.#chunker.flush()) yield [String(this.#path), chunk];
  }

  #drop(chars: number): void {
    this.#line += countMarks(this.#window, "\n", chars);
    this.#window = this.#window.slice(chars);
  }

  #tokens(): readonly Token[] {
    try {
      return new Lexer().blockTokens(this.#window, []);
    } catch (error) {
      const problem = error instanceof RangeError ? "the blocks are nested too deeply" : "expected Markdown";
      throw badInput({ format: this.#source.format, line: this.#line }, { problem, value: this.#window.slice(0, 200) });
    }
  }
}

async function* readChunks(source: Source, warnings: string[]): AsyncGenerator<Batch> {
  const { format } = source;
  const sections = new Sections(source);
  const lineEnds = new LineEnds();
  for (const { text, bytes, last } of readText(source)) {
    const chunks = [...sections.push(lineEnds.normalize(text, last), last, warnings)];
    const rows = chunks.map(([heading, chunk]) => [
      chunkId(chunk),
      heading,
      chunk.text,
      chunk.start,
      chunk.end,
      chunk.line,
    ]);
    const locate = (index: number) => ({ format, line: chunks[index]?.[1].line ?? 1 });
    if (rows.length > 0) yield { columns: NAMES, rows, bytes, locate };
  }
}

/** Markdown: chunks with the path of the headings they stand under; the heading itself is in the text. */
export function parseMarkdown(source: Source): Batches {
  const warnings: string[] = [];
  const iterate = () => readChunks(source, warnings);
  return {
    lexical: false,
    columns: COLUMNS,
    idField: "id",
    textFields: ["heading", "text"],
    warnings,
    [Symbol.asyncIterator]: iterate,
  };
}
