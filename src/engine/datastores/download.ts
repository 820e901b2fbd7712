import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Asking, DatastoreSchema, Json, RevisionRef, ScanPage } from "../../../runtime/index.ts";
import type { Filled } from "./change-records.ts";
import type { DownloadFormat } from "./datastore-service.ts";
import type { DatastoreParts } from "./run-import.ts";

/** Records read at a time. */
const PAGE = 1_000;

type Page = ScanPage;

async function* pagesOf(ref: RevisionRef, asking: Asking, { runtime }: DatastoreParts): AsyncIterable<Page["records"]> {
  let after: number | null = null;
  do {
    const at: { readonly after?: number } = after === null ? {} : { after };
    const page = JSON.parse(await runtime.queries.scan(ref, { ...at, limit: PAGE }, asking)) as Page;
    yield page.records;
    after = page.after;
  } while (after !== null);
}

const MUST_QUOTE = /[",\r\n]/;

/** A value as a cell. What a spreadsheet would take for a formula stays: the file can be imported again as it is. */
function cellOf(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return MUST_QUOTE.test(text) || text === "" ? `"${text.replaceAll('"', '""')}"` : text;
}

/** An empty text is written as "", so that it is told from a missing value. */
async function* csvOf(pages: AsyncIterable<Page["records"]>, { idField, columns }: DatastoreSchema) {
  const names = columns.map(({ name }) => name);
  const heading = idField === null ? ["_id", ...names] : names;
  yield `${heading.map(cellOf).join()}\r\n`;
  for await (const records of pages) {
    const lines = records.map(({ id, data }) => {
      const cells = names.map((name) => cellOf(data[name]));
      return `${(idField === null ? [cellOf(id), ...cells] : cells).join()}\r\n`;
    });
    yield lines.join("");
  }
}

/** Where ids are no member of the data, they stand beside it, as an upsert takes them. */
async function* jsonLinesOf(pages: AsyncIterable<Page["records"]>, { idField }: DatastoreSchema) {
  for await (const records of pages)
    yield records.map((record) => `${JSON.stringify(idField === null ? record : record.data)}\n`).join("");
}

async function sqliteOf(
  ref: RevisionRef & { readonly bytes: number },
  asking: Asking,
  { runtime, disk }: DatastoreParts,
): Promise<Readable> {
  await disk.checkRoom(ref.bytes);
  const copy = disk.scratch(randomUUID());
  const remove = () => rm(copy, { force: true });
  try {
    await runtime.queries.export({ file: ref.file, revision: ref.revision }, copy, asking);
  } catch (error) {
    await remove();
    throw error;
  }
  const stream = createReadStream(copy);
  stream.once("close", () => remove().catch(() => undefined));
  return stream;
}

/** All records of a datastore's revision as a stream; memory stays flat. */
export async function downloadOf(
  { accountId, id, current }: Filled,
  { format, signal }: { readonly format: DownloadFormat; readonly signal: AbortSignal },
  parts: DatastoreParts,
): Promise<Readable> {
  const ref = { file: parts.runtime.fileOf(accountId, { id, base: current.base }), revision: current.revision };
  const asking = { accountId, signal };
  if (format === "sqlite") return sqliteOf({ ...ref, bytes: current.bytes }, asking, parts);
  const schema = JSON.parse(current.schema) as DatastoreSchema;
  const pages = pagesOf(ref, asking, parts);
  return Readable.from(format === "csv" ? csvOf(pages, schema) : jsonLinesOf(pages, schema), { objectMode: false });
}
