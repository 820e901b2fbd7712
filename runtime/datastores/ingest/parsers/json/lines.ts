import type { Batch, Batches, Source } from "../../batch.ts";
import { FoundColumns } from "../../columns.ts";
import { badInput } from "../../problem.ts";
import { readText } from "../../text-reader.ts";
import { parseObject } from "./values.ts";

function checkLength(length: number, line: number, { format, limits }: Source): void {
  if (length <= limits.maxRecordBytes) return;
  const limit = { name: "maxRecordBytes", value: limits.maxRecordBytes };
  throw badInput({ format, line }, { problem: "the line is too long", limit });
}

async function* readRecords(source: Source): AsyncGenerator<Batch> {
  const { format } = source;
  const columns = new FoundColumns(source.limits);
  let rest = "";
  let line = 0;
  for (const { text: more, bytes, last } of readText(source)) {
    const text = rest + more;
    const rows: unknown[][] = [];
    const lines: number[] = [];
    let start = 0;
    while (start < text.length) {
      const newline = text.indexOf("\n", start);
      if (newline === -1 && !last) break;
      const end = newline === -1 ? text.length : newline;
      line++;
      const here = line;
      checkLength(end - start, here, source);
      const record = text.slice(start, end);
      if (record.trim() !== "") {
        const placeAt = (index: number) => ({ format, line: here, column: index + 1 });
        rows.push(columns.toCells(parseObject(record, placeAt), () => ({ format, line: here })));
        lines.push(here);
      }
      start = end + 1;
    }
    rest = text.slice(start);
    checkLength(rest.length, line + 1, source);
    const locate = (index: number) => ({ format, line: lines[index] ?? line });
    if (rows.length > 0) yield { columns: columns.names, rows, bytes, locate };
  }
}

/** JSON Lines: one object a line, blank lines are left out. */
export function parseJsonl(source: Source): Batches {
  return { lexical: false, warnings: [], [Symbol.asyncIterator]: () => readRecords(source) };
}
