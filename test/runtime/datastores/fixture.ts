import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach } from "vitest";
import { openReader } from "../../../runtime/datastores/reader.ts";
import { parseSchema } from "../../../runtime/datastores/schema.ts";
import type {
  DatastoreReader,
  DatastoreRecord,
  DatastoreSchema,
  Hit,
  RecordInput,
  ScanPage,
} from "../../../runtime/datastores/types.ts";
import { loadVectorFunctions } from "../../../runtime/datastores/vector-extension.ts";
import { createWriter } from "../../../runtime/datastores/writer.ts";
import { DEFAULT_LIMITS } from "../../../runtime/limits.ts";

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** Does something when the test is over. */
export const whenOver = (end: () => unknown): unknown => endings.push(end);

/** A directory that is removed after the test. */
export async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "weft-datastores-"));
  whenOver(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A directory that is removed after all tests of the file. */
export async function keepDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "weft-datastores-"));
  directories.push(directory);
  return directory;
}

const directories: string[] = [];

afterAll(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

/** The file of a first revision in a directory of its own. */
export const newFile = async (): Promise<string> => join(await makeDirectory(), "1.db");

/** A schema whose columns are given as name → type. */
export function schemaOf(columns: Readonly<Record<string, string>>, more: object = {}): DatastoreSchema {
  const list = Object.entries(columns).map(([name, type]) => ({ name, type }));
  return parseSchema({ columns: list, ...more }, DEFAULT_LIMITS);
}

/** Writes records as revision 1 of a new file, in a directory of its own or this one. */
export async function writeFile(
  schema: DatastoreSchema,
  records: readonly RecordInput[],
  directory?: string,
): Promise<string> {
  const file = directory === undefined ? await newFile() : join(directory, "1.db");
  const writer = createWriter({ file, schema, revision: 1, limits: DEFAULT_LIMITS });
  writer.add(records);
  writer.finish();
  return file;
}

/** Opens a file for the time of the test. */
export function readFile(file: string, limits = DEFAULT_LIMITS): DatastoreReader {
  const reader = openReader(file, { limits, vectors: loadVectorFunctions });
  whenOver(() => reader.close());
  return reader;
}

/** A reader of a new file with these records as revision 1. */
export const readerOf = async (schema: DatastoreSchema, records: readonly RecordInput[]): Promise<DatastoreReader> =>
  readFile(await writeFile(schema, records));

/** What a thrown error says. */
export function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("nothing was thrown");
}

export const dataOf = (texts: readonly (string | null)[]): unknown[] =>
  texts.map((text) => (text === null ? null : JSON.parse(text)));
export const pageOf = (text: string): ScanPage => JSON.parse(text);
export const hitsOf = (text: string): readonly Hit[] => JSON.parse(text);
export const idsOf = (records: readonly DatastoreRecord[]): readonly string[] => records.map(({ id }) => id);
