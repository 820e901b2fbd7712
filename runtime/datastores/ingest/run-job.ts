import { statSync } from "node:fs";
import type { DatastoreSchema } from "../types.ts";
import { Writer } from "../writer.ts";
import { Load, type Loading, type RowTarget } from "./load.ts";
import type { IngestJob } from "./messages.ts";
import { PARSERS } from "./parsers/index.ts";
import type { EncodedRow } from "./row-encoder.ts";
import type { IngestReport } from "./types.ts";

const toBytes = (vector: readonly number[] | null) =>
  vector === null ? null : new Uint8Array(Float32Array.from(vector).buffer);

function openTarget({ target, revision, limits, options }: IngestJob, schema: DatastoreSchema): RowTarget {
  const writer = new Writer({ file: target, schema, revision, limits, onDuplicate: options.onDuplicate });
  return {
    add: ({ values, vector }: EncodedRow) => writer.addEncoded({ values, vector: toBytes(vector) }),
    finish: () => writer.complete(),
    abort: () => writer.abort(),
  };
}

/** Does an import in this process, which it keeps busy. */
export function runJob(
  job: IngestJob,
  { embed, progress }: Pick<Loading, "embed" | "progress">,
): Promise<IngestReport> {
  const { source: path, format, options, limits, declared } = job;
  const parser = PARSERS[format]({ path, format, options, limits });
  const totalBytes = statSync(path).size;
  const open = (schema: DatastoreSchema) => openTarget(job, schema);
  return new Load({ format, parser, declared, options, limits, totalBytes, open, embed, progress }).run();
}
