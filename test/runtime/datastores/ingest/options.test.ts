import { expect, test } from "vitest";
import { formatOfName, parseFormat, parseIngestOptions } from "../../../../runtime/datastores/ingest/options.ts";
import { WorkflowError } from "../../../../runtime/errors.ts";

test("options are read as JSON and as the text of a query", () => {
  expect(parseIngestOptions({})).toEqual({});
  expect(
    parseIngestOptions({
      on_duplicate: "last",
      delimiter: "\\t",
      header: "false",
      chunk_chars: "500",
      chunk_overlap: 50,
    }),
  ).toEqual({ onDuplicate: "last", delimiter: "\t", header: false, chunkChars: 500, chunkOverlap: 50 });
  expect(parseIngestOptions({ quote: "", table: "t", binary_as_text: true })).toEqual({
    quote: "",
    table: "t",
    binaryAsText: true,
  });
});

test.each([
  [{ on_duplicate: "ignore" }, "on_duplicate must be one of error, last, first"],
  [{ delimiter: ",," }, "delimiter must be one character"],
  [{ delimiter: '"' }, "delimiter must be one character"],
  [{ quote: "\n" }, "quote must be one character"],
  [{ header: "yes" }, "header must be true or false"],
  [{ table: "" }, "table must be the name of a table"],
  [{ chunk_chars: 10 }, "chunk_chars must be a whole number from 50 to 100000"],
  [{ chunk_chars: "1e3" }, "chunk_chars must be a whole number"],
  [{ chunk_chars: 100, chunk_overlap: 60 }, "chunk_overlap must be at most half of chunk_chars"],
  [{ colour: 1 }, "colour is no option of an import; there are on_duplicate, delimiter"],
  [{ constructor: 1 }, "constructor is no option of an import"],
])("%j is refused with what it takes", (options, message) => {
  expect(() => parseIngestOptions(options)).toThrow(WorkflowError);
  expect(() => parseIngestOptions(options)).toThrow(message);
});

test("formats are known by name and by the name of a file", () => {
  expect(parseFormat("csv")).toBe("csv");
  expect(() => parseFormat("xlsx")).toThrow(
    "format must be one of csv, tsv, json, jsonl, parquet, sqlite, text, markdown",
  );
  expect(
    ["a.CSV", "b.ndjson", "c.tar.parquet", "d.md", "e.db", "f", "g.constructor", "h.xlsx"].map(formatOfName),
  ).toEqual(["csv", "jsonl", "parquet", "markdown", "sqlite", null, null, null]);
});
