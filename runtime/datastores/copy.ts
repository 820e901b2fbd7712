import type { SQLOutputValue } from "node:sqlite";
import type { Limits } from "../limits.ts";
import type { SqlValue } from "./encode-record.ts";
import { livingRows } from "./layout.ts";
import { openFile } from "./open-file.ts";
import type { RevisionRef, WriteReport } from "./types.ts";
import { Writer } from "./writer.ts";

/** Writes the records of one revision to a new file, which then has that revision alone and no dead rows. */
export function copyRevision(ref: RevisionRef, target: string, limits: Pick<Limits, "maxRecordBytes">): WriteReport {
  const { db, layout, living } = openFile(ref.file, { readOnly: true, allowExtension: false });
  try {
    const { schema, stored } = layout;
    const vector = schema.vector === null ? "NULL" : "(SELECT vector FROM vectors WHERE row = _row)";
    const columns = stored.map((name) => `r.${name}`).join(", ");
    const rows = db.prepare(
      `SELECT ${columns}, ${vector} FROM records AS r WHERE ${livingRows("r._row", living(ref.revision))} ORDER BY _row`,
    );
    rows.setReturnArrays(true);
    const writer = new Writer({ file: target, schema, revision: ref.revision, limits });
    try {
      for (const row of rows.iterate() as unknown as Iterable<readonly SQLOutputValue[]>)
        writer.addEncoded({
          values: row.slice(0, -1) as SqlValue[],
          vector: (row.at(-1) ?? null) as Uint8Array | null,
        });
    } catch (thrown) {
      writer.abort();
      throw thrown;
    }
    return writer.finish();
  } finally {
    db.close();
  }
}
