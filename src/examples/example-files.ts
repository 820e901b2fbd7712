import { readdir, readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { DatastoreDefinition, ImportRequest } from "../engine/datastores/datastore-service.ts";

const DIRECTORY = join(import.meta.dirname, "../../examples");
/** Lines of a made file that travel together. */
const BATCH_LINES = 500;

/** A datastore that an example reads. */
export interface ExampleDatastore {
  readonly name: string;
  readonly format: ImportRequest["format"];
  readonly definition: DatastoreDefinition;
  /** Its content, made or read anew. */
  open(): AsyncIterable<Uint8Array>;
}

/** One example: `examples/<ref>.ts` and what is in `examples/<ref>/`. */
export interface Example {
  readonly ref: string;
  readonly text: string;
  /** The files of `examples/<ref>/` itself. */
  readonly accessories: readonly { readonly key: string; readonly filename: string; readonly bytes: Uint8Array }[];
  /** `datastores/<name>.md`, or `<name>.ts`, which makes the lines of a CSV. */
  readonly datastores: readonly ExampleDatastore[];
  /** Definitions: `agents/<name>.json`. */
  readonly agents: readonly unknown[];
}

/** What a script that makes a CSV exports. */
interface CsvModule {
  readonly definition: DatastoreDefinition;
  lines(): Iterable<string>;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).toSorted();
}

async function* batches(lines: Iterable<string>): AsyncGenerator<Uint8Array> {
  let batch: string[] = [];
  for (const line of lines) {
    batch.push(line);
    if (batch.length < BATCH_LINES) continue;
    yield Buffer.from(batch.join(""));
    batch = [];
  }
  yield Buffer.from(batch.join(""));
}

async function* whole(path: string): AsyncGenerator<Uint8Array> {
  yield await readFile(path);
}

async function datastoreIn(directory: string, file: string): Promise<ExampleDatastore> {
  const path = join(directory, file);
  const name = basename(file, extname(file));
  if (extname(file) === ".ts") {
    const { definition, lines } = (await import(pathToFileURL(path).href)) as CsvModule;
    return { name, format: "csv", definition, open: () => batches(lines()) };
  }
  return { name, format: "markdown", definition: {}, open: () => whole(path) };
}

async function readExample(ref: string): Promise<Example> {
  const own = join(DIRECTORY, ref);
  const [datastores, agents] = [join(own, "datastores"), join(own, "agents")];
  const accessories = (await namesIn(own)).map(async (filename) => ({
    key: basename(filename, extname(filename)),
    filename,
    bytes: await readFile(join(own, filename)),
  }));
  return {
    ref,
    text: await readFile(join(DIRECTORY, `${ref}.ts`), "utf8"),
    accessories: await Promise.all(accessories),
    datastores: await Promise.all((await namesIn(datastores)).map((file) => datastoreIn(datastores, file))),
    agents: await Promise.all(
      (await namesIn(agents)).map(async (file) => JSON.parse(await readFile(join(agents, file), "utf8")) as unknown),
    ),
  };
}

/** All examples, by ref. */
export async function readExamples(): Promise<readonly Example[]> {
  const files = (await readdir(DIRECTORY).catch(() => [])).filter((name) => name.endsWith(".ts")).toSorted();
  return Promise.all(files.map((name) => readExample(basename(name, ".ts"))));
}
