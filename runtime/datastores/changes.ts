import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { fail } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { createEncoder, type EncodedRecord } from "./encode-record.ts";
import type { Living } from "./layout.ts";
import { type OpenFile, openFile } from "./open-file.ts";
import type { RecordInput, WriteReport } from "./types.ts";
import { prepareInserts } from "./writer.ts";

/** A file, and the number of the revision that a change makes. */
export interface Change {
  readonly file: string;
  /** Larger than every published revision of the file. */
  readonly revision: number;
}

/** Writes records as a new revision; of two with the same id in one call the later one stays. */
export function upsertRecords(
  change: Change,
  records: readonly RecordInput[],
  limits: Pick<Limits, "maxRecordBytes">,
): WriteReport {
  return changeFile(change, (open) => {
    const encode = createEncoder(open.layout, { limits, numbered: false });
    const encoded = records.map((record, at) => encode(record, at + 1));
    const last = new Map(encoded.map((record) => [record.id, record]));
    return { drop: [...last.keys()], add: [...last.values()] };
  });
}

/** Removes records as a new revision; ids without a record are ignored. */
export function removeRecords(change: Change, ids: readonly string[]): WriteReport {
  return changeFile(change, () => ({ drop: [...new Set(ids)], add: [] }));
}

interface Plan {
  /** Ids whose records end. */
  readonly drop: readonly string[];
  readonly add: readonly EncodedRecord[];
}

function changeFile({ file, revision }: Change, plan: (open: OpenFile) => Plan): WriteReport {
  const open = openFile(file, { allowExtension: false });
  const { db } = open;
  try {
    db.exec("PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
    undo(open, revision);
    const before = open.living(newest(db));
    if (before.revision >= revision)
      throw fail("CONFLICT", { message: `The datastore has revision ${revision} already.` });
    const { drop, add } = plan(open);
    const removed = endRows(db, before, { ids: drop, revision });
    addRows(open, before.lastRow, add);
    const rows = before.rows - removed + add.length;
    const lastRow = before.lastRow + add.length;
    db.prepare("INSERT INTO revisions (revision, last_row, rows) VALUES (?, ?, ?)").run(revision, lastRow, rows);
    db.exec("COMMIT");
    const replaced = add.length === 0 ? 0 : removed;
    const deadRows = Number(db.prepare("SELECT count(*) AS n FROM removed").get()?.["n"]);
    const bytes = statSync(file).size;
    return { rows, added: add.length - replaced, replaced, removed: removed - replaced, deadRows, bytes };
  } finally {
    // An open transaction is rolled back.
    db.close();
  }
}

const newest = (db: DatabaseSync): number =>
  Number(db.prepare("SELECT max(revision) AS newest FROM revisions").get()?.["newest"]);

/** Takes back what a change that was never published left: all of this revision and later ones, which nobody reads. */
function undo({ db, layout }: OpenFile, revision: number): void {
  if (newest(db) < revision) return;
  const kept = db.prepare("SELECT max(last_row) AS last FROM revisions WHERE revision < ?").get(revision)?.["last"];
  if (kept === null || kept === undefined)
    throw fail("CONFLICT", { message: `The datastore begins with a revision after ${revision}.` });
  if (layout.words.length > 0) {
    const columns = layout.words.join(", ");
    db.prepare(
      `INSERT INTO words (words, rowid, ${columns}) SELECT 'delete', _row, ${columns} FROM records WHERE _row > ?`,
    ).run(kept);
  }
  if (layout.schema.vector !== null) db.prepare("DELETE FROM vectors WHERE row > ?").run(kept);
  db.prepare("DELETE FROM records WHERE _row > ?").run(kept);
  db.prepare("DELETE FROM removed WHERE revision >= ?").run(revision);
  db.prepare("DELETE FROM revisions WHERE revision >= ?").run(revision);
}

/** Marks the living rows of these ids as removed; returns how many there were. */
function endRows(db: DatabaseSync, { lastRow }: Living, { ids, revision }: Ending): number {
  const end = db.prepare(
    `INSERT INTO removed (row, revision) SELECT _row, ? FROM records
     WHERE id = ? AND _row <= ? AND NOT EXISTS (SELECT 1 FROM removed WHERE row = _row)`,
  );
  return ids.reduce((sum, id) => sum + Number(end.run(revision, id, lastRow).changes), 0);
}

interface Ending {
  readonly ids: readonly string[];
  readonly revision: number;
}

function addRows({ db, layout }: OpenFile, lastRow: number, records: readonly EncodedRecord[]): void {
  const inserts = prepareInserts(db, layout.stored, layout.schema.vector !== null);
  for (const [at, record] of records.entries()) inserts.insert(record, lastRow + 1 + at);
  if (layout.words.length === 0) return;
  const columns = layout.words.join(", ");
  db.prepare(`INSERT INTO words (rowid, ${columns}) SELECT _row, ${columns} FROM records WHERE _row > ?`).run(lastRow);
}
