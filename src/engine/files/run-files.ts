import { type FileAnswers, type FileInfo, type FileRequest, fail, type Limits } from "../../../runtime/index.ts";
import type { Lease, PieceStore, StoredFile } from "../../store/store.ts";
import type { Collector } from "./collector.ts";
import { outputIdOf, parseFileId, toFileId } from "./file-id.ts";
import { contentTypeOf, fileNameOf } from "./file-name.ts";
import { type FileParts, keepContent } from "./keep-content.ts";

/** A running execution, as its files see it. */
export interface FileRun {
  readonly accountId: string;
  readonly executionId: string;
  /** Its lease; the row is written first, if it is not there yet. */
  lease(): Lease;
}

/** What `ctx.files` does for running executions. */
export interface RunFiles {
  ask(run: FileRun, request: FileRequest): Promise<FileAnswers[keyof FileAnswers]>;
  /** Removes the pieces of executions that are over. */
  clearPieces(): Promise<void>;
}

interface RunFilesOptions extends FileParts {
  readonly pieces: PieceStore;
  readonly limits: Limits;
  readonly collector: () => Pick<Collector, "wake">;
}

/** Files of full size whose pieces one execution may keep at once. */
const MAX_FILES_IN_PIECES = 4;
/** How long the pieces of a failed execution are kept, ms: it may be resumed. */
const FAILED_MS = 86_400_000;

type Write = Extract<FileRequest, { kind: "write" }>;
type Piece = Extract<FileRequest, { kind: "piece" }>;
type Read = Extract<FileRequest, { kind: "read" }>;

const toInfo = ({ id, name, bytes, contentType }: StoredFile): FileInfo => ({
  id: toFileId(id),
  name,
  bytes,
  content_type: contentType,
});

function overLimit(bytes: number, { maxFileBytes }: Limits): Error {
  const message = `files.write: ${bytes} bytes, over ${maxFileBytes} (maxFileBytes)`;
  return fail("LIMIT_EXCEEDED", { message, limit: "maxFileBytes", value: bytes });
}

async function findFile({ accountId }: FileRun, id: string, { store }: RunFilesOptions): Promise<StoredFile> {
  const fileId = parseFileId(id);
  const file = fileId === null ? null : await store.findFile({ accountId, fileId });
  if (file !== null) return file;
  throw fail("INVALID_ARGUMENT", {
    message: `files: there is no file ${JSON.stringify(id.slice(0, 80))}`,
    field: "id",
  });
}

async function read(
  run: FileRun,
  { id, offset, length }: Read,
  options: RunFilesOptions,
): Promise<FileAnswers["read"]> {
  const file = await findFile(run, id, options);
  const why = (text: string) => fail("INVALID_ARGUMENT", { message: `files: ${text}`, field: "id" });
  if (file.hash === null) throw why(`the content of ${toFileId(file.id)} was not uploaded yet`);
  const bytes = await options.contents.read(file.hash, offset, length);
  if (bytes === null) throw why(`there is no file ${toFileId(file.id)} any more`);
  return { info: toInfo(file), bytes };
}

/** Keeps the pieces of each execution within bounds. */
class PieceSums {
  readonly #sums = new Map<string, number>();

  async put(run: FileRun, { pos, bytes }: Piece, { pieces, limits }: RunFilesOptions): Promise<number> {
    const { executionId } = run;
    // In the store before its pieces are on the disk: those of an execution that is in no store are cleared away.
    run.lease();
    const sum = (this.#sums.get(executionId) ?? (await pieces.total(executionId))) + bytes.byteLength;
    if (sum > MAX_FILES_IN_PIECES * limits.maxFileBytes) throw overLimit(sum, limits);
    await pieces.put(executionId, pos, bytes);
    this.#sums.set(executionId, sum);
    return pos;
  }

  /** To be looked up when it is needed again. */
  forget(executionId: string): void {
    this.#sums.delete(executionId);
  }
}

async function sourceOf({ executionId }: FileRun, { content }: Write, { pieces, limits }: RunFilesOptions) {
  if (content instanceof Uint8Array) return { bytes: content.byteLength, source: Promise.resolve([content]) };
  let bytes = 0;
  for (const size of await pieces.sizes(executionId, content)) {
    if (size === null) throw fail("INVALID_ARGUMENT", { message: "files.write: a piece is missing", field: "pieces" });
    bytes += size;
    if (bytes > limits.maxFileBytes) throw overLimit(bytes, limits);
  }
  return { bytes, source: pieces.read(executionId, content) };
}

async function write(run: FileRun, request: Write, options: RunFilesOptions): Promise<FileInfo> {
  const { store, contents, limits, collector } = options;
  const { accountId, executionId } = run;
  const { pos, name, contentType } = request;
  const lease = run.lease();
  const known = (await store.listOutputs({ accountId, executionId })).find((one) => one.pos === pos);
  if (known !== undefined) return toInfo(known);
  const { bytes, source } = await sourceOf(run, request, options);
  if (bytes > limits.maxFileBytes) throw overLimit(bytes, limits);
  const received = await contents.receive(toAsync(await source), { maxBytes: bytes, limit: "maxFileBytes" });
  const file: StoredFile = {
    id: outputIdOf(executionId, pos),
    accountId,
    name: fileNameOf(name),
    contentType: contentTypeOf(contentType),
    bytes,
    hash: received.hash,
    scopeType: null,
    scopeId: null,
    executionId,
    pos,
    createdAt: Date.now(),
    until: null,
  };
  try {
    const added = await keepContent(received, options, () => store.addOutput({ file, lease, quota: limits }));
    return toInfo(added);
  } catch (error) {
    collector().wake();
    throw error;
  }
}

async function* toAsync(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield* source;
}

async function clearPieces({ pieces, store }: RunFilesOptions, sums: PieceSums): Promise<void> {
  const since = Date.now() - FAILED_MS;
  for (const executionId of await pieces.executions()) {
    if (await store.mayGoOn({ executionId, since })) continue;
    await pieces.removeAll(executionId);
    sums.forget(executionId);
  }
}

/** Makes what executions do with files. */
export function createRunFiles(options: RunFilesOptions): RunFiles {
  const { store, pieces, inTurn } = options;
  const sums = new PieceSums();
  return {
    clearPieces: () => clearPieces(options, sums),
    async ask(run, request) {
      const { accountId, executionId } = run;
      switch (request.kind) {
        case "stat":
          return toInfo(await findFile(run, request.id, options));
        case "read":
          return read(run, request, options);
        case "list": {
          const all = await store.listOutputs({ accountId, executionId });
          return all.filter(({ pos }) => (pos ?? 0) < request.pos).map(toInfo);
        }
        case "piece":
          // One after the other, so that the sum is the sum.
          return inTurn(executionId, () => sums.put(run, request, options));
        case "write": {
          const info = await write(run, request, options);
          if (request.content instanceof Uint8Array) return info;
          // What was written is found by its position from now on.
          const { content } = request;
          await inTurn(executionId, () => pieces.remove(executionId, content).then(() => sums.forget(executionId)));
          return info;
        }
      }
    },
  };
}
