import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { Weft } from "./weft.ts";

/** Words that texts are made of: `w0` is in most of them, `w49999` in hardly any. */
const WORDS = 50_000;
const WORDS_OF_TEXT = 20;
const LINES_AT_ONCE = 5_000;

/** The same numbers from 0 to 1 in every run. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Records as JSON lines: an id, a title, a text and a year. */
function* linesOf(records: number): Generator<Uint8Array> {
  const random = createRandom();
  const words = (count: number) =>
    Array.from({ length: count }, () => `w${Math.floor(Math.exp(random() * Math.log(WORDS)))}`).join(" ");
  for (let from = 0; from < records; from += LINES_AT_ONCE) {
    const lines = Array.from({ length: Math.min(LINES_AT_ONCE, records - from) }, (_, at) => {
      const data = { id: `r${from + at}`, title: words(2), body: words(WORDS_OF_TEXT), year: 1_900 + (at % 120) };
      return `${JSON.stringify(data)}\n`;
    });
    yield Buffer.from(lines.join(""));
  }
}

async function api(weft: Weft, path: string, init: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(`${weft.url}/api/v1/datastores${path}`, {
    ...init,
    headers: { ...weft.headers, ...init.headers },
  });
  const body = (await response.json()) as { readonly data: Record<string, unknown> };
  if (response.ok) return body.data;
  throw new Error(`${path} answered ${response.status}: ${JSON.stringify(body).slice(0, 500)}`);
}

/** Makes an empty datastore. */
export async function makeDatastore(weft: Weft, name: string): Promise<void> {
  const definition = { name, id_field: "id", text_fields: ["title", "body"], filters: ["year"] };
  await api(weft, "", { method: "POST", body: JSON.stringify(definition) });
}

/** Fills a datastore with made-up records, as a user does it: by an import. */
export async function fillDatastore(weft: Weft, name: string, records: number): Promise<void> {
  const headers = { "content-type": "application/x-ndjson" };
  const body = ReadableStream.from(linesOf(records));
  const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
  let { id, status, error } = await api(weft, `/${name}/import?format=jsonl`, init);
  while (status === "queued" || status === "running") {
    await sleep(100);
    ({ status, error } = await api(weft, `/${name}/imports/${String(id)}`, {}));
  }
  if (status !== "complete") throw new Error(`the import is ${String(status)}: ${JSON.stringify(error)}`);
}

/** The file that holds the records of a server's only filled datastore, opened past the server. */
export function openBare(dataDir: string): DatabaseSync {
  const root = join(dataDir, "datastores");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => /\d+\.db$/.test(name));
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Error(`one file was expected, not ${files.join(", ")}`);
  return new DatabaseSync(join(root, file), { readOnly: true });
}
