import { constants, openAsBlob } from "node:fs";
import { access } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { toWorkflowError } from "../../runtime/index.ts";
import type { Api } from "./api.ts";
import type { CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { asNumber, asRecord, asText, dataOf, type JsonRecord } from "./json.ts";
import { pause } from "./pause.ts";
import { progressText } from "./progress.ts";
import { sizeOf } from "./sizes.ts";
import { counted } from "./upload.ts";

/** Path of a datastore's routes; the name is escaped. */
export const datastorePath = (name: string, rest = ""): string =>
  `/api/v1/datastores/${encodeURIComponent(name)}${rest}`;

/** One file for one datastore. */
export interface ImportFile {
  readonly name: string;
  readonly file: string;
  /** Query of the request, such as `format` and `id_field`. */
  readonly query: Readonly<Record<string, string>>;
}

/** How often the server is asked how far it is, ms. */
const POLL_MS = 300;
/** How often a line says how far it is where nobody watches, ms. */
const LINE_MS = 5_000;
/** A cancellation that the server does not answer is given up after this, ms. */
const CANCEL_MS = 5_000;

const EXTENSIONS: Readonly<Record<string, string>> = {
  ndjson: "jsonl",
  tab: "tsv",
  txt: "text",
  md: "markdown",
  sqlite3: "sqlite",
  db: "sqlite",
};

/** The format that a file's name says. */
function formatOf(file: string): string {
  const extension = /\.([A-Za-z0-9]+)$/.exec(file)?.[1]?.toLowerCase() ?? "";
  const known = ["csv", "tsv", "json", "jsonl", "parquet", "sqlite", "text", "markdown"];
  const format = EXTENSIONS[extension] ?? extension;
  if (known.includes(format)) return format;
  throw stop("usage", `${basename(file)}: its name does not say its format; use --format (${known.join(", ")})`);
}

async function openFile(file: string, cwd: string): Promise<Blob> {
  const path = resolve(cwd, file);
  try {
    // A blob of a file that is missing would only tell when it is read.
    await access(path, constants.R_OK);
    return await openAsBlob(path);
  } catch {
    throw stop("usage", `${file}: cannot be read`);
  }
}

/** Says how far it is: as the text of a spinner, or as a line now and then. */
function createTeller({ io, terminal }: CommandCall, name: string, update: (text: string) => void) {
  let said = performance.now();
  return (done: number, total: number, detail: string) => {
    const text = `${name}  ${progressText(done, total)}  ${detail}`;
    if (io.interactive) return update(text);
    if (performance.now() - said < LINE_MS) return;
    said = performance.now();
    terminal.note(text);
  };
}

type Teller = ReturnType<typeof createTeller>;

async function send(api: Api, call: CommandCall, { name, file, query }: ImportFile, tell: Teller): Promise<JsonRecord> {
  const blob = await openFile(file, call.io.cwd);
  const onProgress = (sent: number) => tell(sent, blob.size, `${sizeOf(sent)} of ${sizeOf(blob.size)} sent`);
  const search = new URLSearchParams({ format: formatOf(file), create: "true", ...query });
  const body = counted(blob.stream(), onProgress);
  const headers = { "content-type": "application/octet-stream" };
  const answer = await api.call(datastorePath(name, `/import?${search}`), { method: "POST", body, headers });
  return dataOf(answer);
}

function tellProgress({ bytes, progress: raw, status }: JsonRecord, tell: Teller): void {
  const progress = asRecord(raw);
  const total = asNumber(progress["total_bytes"]) ?? asNumber(bytes) ?? 0;
  const rows = (asNumber(progress["rows"]) ?? 0).toLocaleString("en");
  const phase = asText(progress["phase"]) ?? asText(status) ?? "";
  tell(asNumber(progress["bytes"]) ?? 0, total, `${phase}, ${rows} records`);
}

const isOpen = ({ status }: JsonRecord) => status === "queued" || status === "running";

async function follow(api: Api, call: CommandCall, begun: JsonRecord, tell: Teller): Promise<JsonRecord> {
  const path = asText(begun["url"]) ?? "";
  try {
    for (let item = begun; ; item = dataOf(await api.call(path))) {
      if (!isOpen(item)) return item;
      tellProgress(item, tell);
      await pause(POLL_MS, call.io.signal);
    }
  } catch (thrown) {
    // Ctrl-C: what was begun is not left running.
    if (toWorkflowError(thrown).details["exit"] === "interrupted")
      await api.call(path, { method: "DELETE", signal: AbortSignal.timeout(CANCEL_MS) }).catch(() => undefined);
    throw thrown;
  }
}

/** Imports a file into a datastore, shows how far it is and waits for its end; throws when it fails. */
export async function importFile(call: CommandCall, wanted: ImportFile): Promise<JsonRecord> {
  const api = await call.api();
  const { name } = wanted;
  return call.terminal.during(`Importing ${name}`, async (update) => {
    const tell = createTeller(call, name, update);
    const done = await follow(api, call, await send(api, call, wanted, tell), tell);
    if (done["status"] === "complete") return done;
    const error = asRecord(done["error"]);
    const { message: _message, ...facts } = error;
    throw stop("failed", asText(error["message"]) ?? `The import is ${asText(done["status"])}.`, facts);
  });
}
