import type { Batch, Batches, Source } from "../batch.ts";
import { Chunker, chunkColumns, chunkId, LineEnds } from "../chunks.ts";
import { readText } from "../text-reader.ts";

const COLUMNS = chunkColumns(false);
const NAMES = COLUMNS.map(({ name }) => name);

async function* readChunks(source: Source): AsyncGenerator<Batch> {
  const { format, options } = source;
  const chunker = new Chunker({ chars: options.chunkChars, overlap: options.chunkOverlap });
  const lineEnds = new LineEnds();
  for (const { text, bytes, last } of readText(source)) {
    const chunks = [...chunker.push(lineEnds.normalize(text, last))];
    if (last) chunks.push(...chunker.flush());
    const rows = chunks.map((chunk) => [chunkId(chunk), chunk.text, chunk.start, chunk.end, chunk.line]);
    const locate = (index: number) => ({ format, line: chunks[index]?.line ?? 1 });
    if (rows.length > 0) yield { columns: NAMES, rows, bytes, locate };
  }
}

/** Plain text: overlapping chunks, cut at paragraphs, lines, sentences or words. */
export function parseText(source: Source): Batches {
  const iterate = () => readChunks(source);
  return {
    lexical: false,
    columns: COLUMNS,
    idField: "id",
    textFields: ["text"],
    warnings: [],
    [Symbol.asyncIterator]: iterate,
  };
}
