import { statSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import type { Layout } from "./layout.ts";
import { livingRows, SQL_TYPES } from "./layout.ts";
import { openFile } from "./open-file.ts";
import type { RevisionRef, WriteReport } from "./types.ts";
import { publish, removePart } from "./writer.ts";

/** One column of the exported table. */
interface Column {
  readonly name: string;
  readonly definition: string;
  /** What is read for it. */
  readonly from: string;
}

/** Names differ by more than case in SQL: of those that do not, the later ones get a number. */
function* distinct(columns: readonly Column[]): Generator<Column> {
  const seen = new Set<string>();
  for (const column of columns) {
    let { name } = column;
    for (let number = 1; seen.has(name.toLowerCase()); number++) name = `${column.name}:${number}`;
    seen.add(name.toLowerCase());
    yield { ...column, name };
  }
}

function columnsOf({ cells, schema }: Layout): readonly Column[] {
  const own = cells.map(({ name, type, sql }) => {
    const key = name === schema.idField ? " PRIMARY KEY" : "";
    return { name, definition: `${SQL_TYPES[type]}${key}`, from: `r.${sql}` };
  });
  const id = schema.idField === null ? [{ name: "_id", definition: "TEXT PRIMARY KEY", from: "r.id" }] : [];
  const from = "(SELECT vector FROM vectors WHERE row = r._row)";
  const vector = schema.vector === null ? [] : [{ name: schema.vector.field, definition: "TEXT", from }];
  return [...distinct([...id, ...own, ...vector])];
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A 32-bit number with no more digits than tell it from its neighbours. */
function shortest(float: number): number {
  const digits = [6, 7, 8].find((count) => Math.fround(Number(float.toPrecision(count))) === float);
  return Number(float.toPrecision(digits ?? 9));
}

/** A vector as JSON text. */
function toText(value: SQLOutputValue): SQLInputValue {
  if (!(value instanceof Uint8Array)) return value;
  const floats = new Float32Array(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength));
  return JSON.stringify(Array.from(floats, shortest));
}

/**
 * Writes the records of a revision to a new, ordinary SQLite file for its user: one table `records` with the user's own
 * columns, booleans as 0 and 1, JSON and vectors as text.
 */
export function exportRevision(ref: RevisionRef, target: string): WriteReport {
  const { db, layout, living } = openFile(ref.file, { readOnly: true, allowExtension: false });
  removePart(target);
  const out = new DatabaseSync(`${target}.part`);
  try {
    const columns = columnsOf(layout);
    out.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN");
    out.exec(
      `CREATE TABLE records (${columns.map(({ name, definition }) => `${quoted(name)} ${definition}`).join(", ")})`,
    );
    const insert = out.prepare(`INSERT INTO records VALUES (${columns.map(() => "?").join(", ")})`);
    const rows = db.prepare(
      `SELECT ${columns.map(({ from }) => from).join(", ")} FROM records AS r
       WHERE ${livingRows("r._row", living(ref.revision))} ORDER BY _row`,
    );
    rows.setReturnArrays(true);
    let count = 0;
    for (const row of rows.iterate() as unknown as Iterable<readonly SQLOutputValue[]>) {
      insert.run(...row.map(toText));
      count++;
    }
    out.exec("COMMIT; PRAGMA journal_mode = DELETE");
    out.close();
    publish(target);
    const bytes = statSync(target).size;
    return { rows: count, added: count, replaced: 0, removed: 0, deadRows: 0, bytes };
  } catch (thrown) {
    if (out.isOpen) out.close();
    removePart(target);
    throw thrown;
  } finally {
    db.close();
  }
}
