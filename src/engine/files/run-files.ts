import { type FileAnswers, type FileInfo, type FileRequest, fail, type Limits } from "../../../runtime/index.ts";
import type { Lease, PieceStore, StoredFile } from "../../store/store.ts";
import type { Collector } from "./collector.ts";
import { outputIdOf, parseFileId, toFileId } from "./file-id.ts";
import { contentTypeOf, fileNameOf } from "./file-name.ts";
import { type FileParts, keepContent } from "./keep-content.ts";
import { RunPieces } from "./run-pieces.ts";
import type { UnderWay } from "./under-way.ts";

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
  /** An attempt is over, and its pieces with it. */
  leave(executionId: string): Promise<void>;
}

interface RunFilesOptions extends FileParts {
  readonly pieces: PieceStore;
  readonly underWay: UnderWay;
  readonly limits: Limits;
  readonly collector: () => Pick<Collector, "wake">;
}

type Write = Extract<FileRequest, { kind: "write" }>;
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

async function write(run: FileRun, request: Write, pieces: RunPieces, options: RunFilesOptions): Promise<FileInfo> {
  const { store, contents, limits, collector } = options;
  const { accountId, executionId } = run;
  const { pos, name, contentType, content } = request;
  const lease = run.lease();
  const isWhole = content instanceof Uint8Array;
  const bytes = isWhole ? content.byteLength : pieces.bytesOf(executionId, content);
  if (bytes > limits.maxFileBytes) throw overLimit(bytes, limits);
  const source = isWhole ? once(content) : pieces.read(executionId, content);
  const received = await contents.receive(source, { maxBytes: bytes, limit: "maxFileBytes" });
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

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Makes what executions do with files. */
export function createRunFiles(options: RunFilesOptions): RunFiles {
  const { store, inTurn } = options;
  const pieces = new RunPieces(options);
  return {
    leave: (executionId) => inTurn(executionId, () => pieces.leave(executionId)),
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
          return inTurn(executionId, () => pieces.put(run, request.pos, request.bytes).then(() => request.pos));
        case "forget":
          return inTurn(executionId, () => pieces.remove(executionId, request.pieces).then(() => null));
        case "write": {
          const { content } = request;
          if (content instanceof Uint8Array) return write(run, request, pieces, options);
          return inTurn(executionId, async () => {
            const info = await write(run, request, pieces, options);
            await pieces.remove(executionId, content);
            return info;
          });
        }
      }
    },
  };
}
