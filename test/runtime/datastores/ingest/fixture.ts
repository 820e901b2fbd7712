import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach } from "vitest";
import { runJob } from "../../../../runtime/datastores/ingest/run-job.ts";
import {
  DEFAULT_OPTIONS,
  type DeclaredSchema,
  type Format,
  type IngestLimits,
  type IngestOptions,
  type IngestProgress,
  type IngestReport,
} from "../../../../runtime/datastores/ingest/types.ts";
import { openReader } from "../../../../runtime/datastores/reader.ts";
import type { ScanPage } from "../../../../runtime/datastores/types.ts";
import { publishPart } from "../../../../runtime/datastores/writer.ts";
import { WorkflowError } from "../../../../runtime/errors.ts";
import { DEFAULT_LIMITS } from "../../../../runtime/limits.ts";

const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A directory that is gone after the test. */
export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "weft-ingest-"));
  directories.push(directory);
  return directory;
}

/** A file with this content. */
export function fileOf(content: string | Uint8Array): string {
  const path = join(newDirectory(), "source");
  writeFileSync(path, content);
  return path;
}

/** A SQLite database made by these statements. */
export function databaseOf(sql: string): string {
  const path = join(newDirectory(), "source");
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
  return path;
}

export interface Wishes {
  readonly schema?: DeclaredSchema;
  readonly options?: Partial<IngestOptions>;
  readonly limits?: Partial<IngestLimits>;
  readonly embed?: (texts: readonly string[]) => Promise<readonly (readonly number[])[]>;
  readonly progress?: (progress: IngestProgress) => void;
}

export interface Outcome {
  readonly report: IngestReport;
  /** Name of each column and its type. */
  readonly types: Readonly<Record<string, string>>;
  readonly records: readonly { readonly id: string; readonly data: Readonly<Record<string, unknown>> }[];
  readonly file: string;
}

/** Imports a file in this process and reads back what is in the new one. */
export async function importFile(format: Format, source: string, wishes: Wishes = {}): Promise<Outcome> {
  const file = join(newDirectory(), "1.db");
  const limits = { ...DEFAULT_LIMITS, ...wishes.limits };
  const options = { ...DEFAULT_OPTIONS, ...wishes.options };
  const embed = wishes.embed ?? (() => Promise.reject(new Error("no model in this test")));
  const progress = wishes.progress ?? (() => undefined);
  const job = { source, format, target: file, revision: 1, limits, options, declared: wishes.schema ?? {} };
  const report = await runJob(job, { embed, progress });
  await publishPart(file);
  return { report, types: typesOf(report), records: recordsOf(file), file };
}

/** As {@link importFile}, from the content of the file. */
export const importText = (format: Format, content: string | Uint8Array, wishes?: Wishes) =>
  importFile(format, fileOf(content), wishes);

/** The data of a small import. */
export async function dataOf(format: Format, content: string | Uint8Array, wishes?: Wishes) {
  return (await importText(format, content, wishes)).records.map(({ data }) => data);
}

/** The error of an import that must fail, with its message and its details. */
export async function refusal(work: Promise<unknown>): Promise<WorkflowError> {
  const thrown: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (thrown instanceof WorkflowError) return thrown;
  throw new Error(`expected a refusal, got ${String(thrown)}`);
}

export function typesOf({ schema }: IngestReport): Readonly<Record<string, string>> {
  return Object.fromEntries(schema.columns.map(({ name, type }) => [name, type]));
}

/** At most this many records are read back. */
const MAX_RECORDS = 10_000;

/** The first records of a file, in order. */
export function recordsOf(file: string): Outcome["records"] {
  const reader = openReader(file, { limits: DEFAULT_LIMITS, vectors: null });
  try {
    const records: Outcome["records"][number][] = [];
    for (let after: number | null = 0; after !== null && records.length < MAX_RECORDS; ) {
      const page = JSON.parse(reader.scan(1, { limit: 1_000, after })) as ScanPage;
      records.push(...page.records);
      after = page.after;
    }
    return records;
  } finally {
    reader.close();
  }
}

/** Vectors of a file by the number of their record. */
export function vectorsOf(file: string): readonly (readonly [number, readonly number[]])[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = db.prepare("SELECT row, vector FROM vectors ORDER BY row").all();
    return rows.map(({ row, vector }) => {
      const bytes = vector as Uint8Array;
      return [Number(row), [...new Float32Array(bytes.slice().buffer)]] as const;
    });
  } finally {
    db.close();
  }
}
