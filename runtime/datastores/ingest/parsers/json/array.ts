import { Tokenizer, TokenizerError, TokenType } from "@streamparser/json";
import { MAX_DEPTH } from "../../../limits.ts";
import type { Batch, Batches, Source } from "../../batch.ts";
import { FoundColumns } from "../../columns.ts";
import { badInput, type Complaint, type Place } from "../../problem.ts";
import { readText } from "../../text-reader.ts";
import { parseObject } from "./values.ts";

const NEWLINE = 0x0a;

/** Bytes of the file that are still needed, and the lines that they are on. */
class Window {
  /** What is held, from byte `start` of the file's text on. */
  #data: Buffer = Buffer.alloc(0);
  #start = 0;
  /** Line and first byte of the line that a byte in order was last asked for. */
  #line = 1;
  #lineStart = 0;
  #seen = 0;

  get length(): number {
    return this.#data.length;
  }

  append(bytes: Buffer): void {
    this.#data = this.#data.length === 0 ? bytes : Buffer.concat([this.#data, bytes]);
  }

  text(from: number, to: number): string {
    return this.#data.toString("utf8", from - this.#start, to - this.#start);
  }

  /** Line and column (in bytes, from 1) of a byte that is held, or of the end; bytes before the last one asked for are an error of ours. */
  place(offset: number): { readonly line: number; readonly column: number } {
    const end = offset - this.#start;
    for (let at = this.#data.indexOf(NEWLINE, this.#seen - this.#start); at !== -1 && at < end; ) {
      this.#line++;
      this.#lineStart = this.#start + at + 1;
      at = this.#data.indexOf(NEWLINE, at + 1);
    }
    this.#seen = Math.max(this.#seen, offset);
    return { line: this.#line, column: offset - this.#lineStart + 1 };
  }

  /** Forgets all bytes before `offset`. */
  drop(offset: number): void {
    this.place(offset);
    this.#data = this.#data.subarray(offset - this.#start);
    this.#start = offset;
  }
}

type Expected = "array" | "first" | "object" | "comma" | "end";

const EXPECTED: Readonly<Record<Expected, string>> = {
  array: "expected an array of objects; a file with one object a line has the format jsonl",
  first: "expected an object or the end of the array",
  object: "expected an object",
  comma: "expected a comma or the end of the array",
  end: "expected nothing behind the array",
};

const OPENING = new Set([TokenType.LEFT_BRACE, TokenType.LEFT_BRACKET]);
const CLOSING = new Set([TokenType.RIGHT_BRACE, TokenType.RIGHT_BRACKET]);

/** Follows the tokens of an array of objects. What is within an object is left to JSON.parse. */
class Elements {
  readonly #onElement: (start: number, end: number) => void;
  readonly #refuse: (offset: number, complaint: Complaint) => never;
  #expected: Expected = "array";
  #depth = 0;
  #start = 0;

  constructor(
    onElement: (start: number, end: number) => void,
    refuse: (offset: number, complaint: Complaint) => never,
  ) {
    this.#onElement = onElement;
    this.#refuse = refuse;
  }

  get complete(): boolean {
    return this.#expected === "end";
  }

  /** Where the object begins that is being read; null between objects. */
  get open(): number | null {
    return this.#depth > 1 ? this.#start : null;
  }

  token(token: TokenType, offset: number): void {
    if (this.#depth > 1) this.#within(token, offset);
    else this.#between(token, offset);
  }

  #within(token: TokenType, offset: number): void {
    if (OPENING.has(token)) {
      this.#depth++;
      const limit = { name: "maxDepth", value: MAX_DEPTH };
      if (this.#depth > MAX_DEPTH + 1) this.#refuse(offset, { problem: "the record is nested too deeply", limit });
    } else if (CLOSING.has(token) && --this.#depth === 1) {
      this.#expected = "comma";
      this.#onElement(this.#start, offset + 1);
    }
  }

  #between(token: TokenType, offset: number): void {
    const expected = this.#expected;
    if (expected === "array" && token === TokenType.LEFT_BRACKET) {
      this.#depth = 1;
      this.#expected = "first";
    } else if ((expected === "first" || expected === "object") && token === TokenType.LEFT_BRACE) {
      this.#depth = 2;
      this.#start = offset;
    } else if ((expected === "first" || expected === "comma") && token === TokenType.RIGHT_BRACKET) {
      this.#depth = 0;
      this.#expected = "end";
    } else if (expected === "comma" && token === TokenType.COMMA) {
      this.#expected = "object";
    } else {
      this.#refuse(offset, { problem: EXPECTED[expected] });
    }
  }
}

interface Rows {
  readonly cells: unknown[][];
  readonly lines: number[];
}

/** Reads the objects of one file; fed with its text in order. */
class ArrayReader {
  readonly #source: Source;
  readonly #window = new Window();
  readonly #tokenizer = new Tokenizer();
  readonly #elements: Elements;
  readonly #columns: FoundColumns;
  /** Bytes given to the tokenizer, and those up to the end of its last token. */
  #fed = 0;
  #tokenEnd = 0;
  #rows: Rows = { cells: [], lines: [] };

  constructor(source: Source) {
    this.#source = source;
    this.#columns = new FoundColumns(source.limits);
    const refuse = (offset: number, complaint: Complaint) => this.#refuse(offset, complaint);
    this.#elements = new Elements((start, end) => this.#read(start, end), refuse);
    this.#tokenizer.onToken = ({ token, offset }) => {
      this.#tokenEnd = offset;
      this.#elements.token(token, offset);
    };
  }

  get columns(): readonly string[] {
    return this.#columns.names;
  }

  /** The objects that end in this part. */
  feed(text: string): Rows {
    this.#rows = { cells: [], lines: [] };
    const bytes = Buffer.from(text);
    this.#window.append(bytes);
    this.#fed += bytes.length;
    this.#guard(() => this.#tokenizer.write(bytes));
    const needed = this.#elements.open ?? this.#tokenEnd;
    const { maxRecordBytes } = this.#source.limits;
    if (this.#fed - needed > maxRecordBytes) {
      this.#refuse(needed, {
        problem: "the value that begins here is too long",
        limit: { name: "maxRecordBytes", value: maxRecordBytes },
      });
    }
    this.#window.drop(needed);
    return this.#rows;
  }

  end(): void {
    if (this.#elements.complete) return;
    const problem =
      this.#fed === 0 ? "expected an array of objects, the file is empty" : "expected JSON, it ends too early";
    this.#refuse(this.#fed, { problem });
  }

  #guard(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof TokenizerError)) throw error;
      const position = /absolute position "(\d+)"/.exec(error.message)?.[1];
      const offset = position === undefined ? this.#tokenEnd : Number(position);
      this.#refuse(offset, {
        problem: "expected JSON, found something else",
        value: this.#window.text(offset, offset + 80),
      });
    }
  }

  #read(start: number, end: number): void {
    const { format } = this.#source;
    const { line, column } = this.#window.place(start);
    const text = this.#window.text(start, end);
    const placeAt = (index: number): Place => {
      const before = text.slice(0, index);
      const newline = before.lastIndexOf("\n");
      if (newline === -1) return { format, line, column: column + index };
      return { format, line: line + before.split("\n").length - 1, column: index - newline };
    };
    this.#rows.cells.push(this.#columns.toCells(parseObject(text, placeAt), () => ({ format, line })));
    this.#rows.lines.push(line);
  }

  #refuse(offset: number, complaint: Complaint): never {
    throw badInput({ format: this.#source.format, ...this.#window.place(offset) }, complaint);
  }
}

async function* readRecords(source: Source): AsyncGenerator<Batch> {
  const { format } = source;
  const reader = new ArrayReader(source);
  for (const { text, bytes } of readText(source)) {
    const { cells, lines } = reader.feed(text);
    const locate = (index: number) => ({ format, line: lines[index] ?? 1 });
    if (cells.length > 0) yield { columns: reader.columns, rows: cells, bytes, locate };
  }
  reader.end();
}

/** JSON: an array of objects. */
export function parseJson(source: Source): Batches {
  return { lexical: false, warnings: [], [Symbol.asyncIterator]: () => readRecords(source) };
}
