import { randomUUID } from "node:crypto";
import { fail, type Limits } from "../../../runtime/index.ts";
import type { Received, StoredFile } from "../../store/store.ts";
import type { Collector } from "./collector.ts";
import { parseFileId, toFileId } from "./file-id.ts";
import type { FileLinks, LinkProof, LinkUse } from "./file-links.ts";
import { contentTypeOf, fileNameOf } from "./file-name.ts";
import type { FileFacts, FileService, FileTarget, Incoming, PresignedUrl } from "./file-service.ts";
import { type FileParts, keepContent } from "./keep-content.ts";
import type { UnderWay } from "./under-way.ts";

interface FileOptions extends FileParts {
  readonly limits: Limits;
  readonly links: FileLinks;
  readonly underWay: UnderWay;
  readonly collector: Pick<Collector, "wake">;
}

const CURSOR = /^([0-9a-z]{1,12})\.([0-9a-f-]{36})$/;

const notFound = (id: string) =>
  fail("NOT_FOUND", { message: `File not found: ${id.slice(0, 80)}`, code: "file_not_found" });

function toFile(accountId: string, { name, contentType, scopeType, scopeId }: FileFacts, bytes: number): StoredFile {
  const cleaned = { name: fileNameOf(name), contentType: contentTypeOf(contentType) };
  const ownerless = { hash: null, executionId: null, pos: null, until: null };
  return { id: randomUUID(), accountId, ...cleaned, bytes, scopeType, scopeId, ...ownerless, createdAt: Date.now() };
}

function checkSize(bytes: number, { maxFileBytes }: Limits): void {
  if (bytes <= maxFileBytes) return;
  const message = `file: ${bytes} bytes, over ${maxFileBytes} (maxFileBytes)`;
  throw fail("PAYLOAD_TOO_LARGE", { message, limit: "maxFileBytes", value: bytes });
}

function wrongSize(announced: number, got: number): Error {
  const message = `file: ${announced} bytes were announced, got ${got}`;
  return fail("INVALID_REQUEST", { message, param: "file_size", value: got });
}

/** Where a page ended, as a text that says nothing of other accounts. */
function cursorOf({ createdAt, id }: StoredFile): string {
  return `${createdAt.toString(36)}.${id}`;
}

function afterOf(cursor: string | null): Pick<StoredFile, "createdAt" | "id"> | null {
  if (cursor === null) return null;
  const [, at = "", id = ""] = CURSOR.exec(cursor) ?? [];
  if (id !== "") return { createdAt: Number.parseInt(at, 36), id };
  throw fail("INVALID_REQUEST", { message: "cursor: is not one that this list gave", param: "cursor" });
}

function createFinding({ store, links }: FileOptions) {
  return {
    async find({ accountId, id }: FileTarget): Promise<StoredFile> {
      const fileId = parseFileId(id);
      const file = fileId === null ? null : await store.findFile({ accountId, fileId });
      if (file === null) throw notFound(id);
      return file;
    },
    /** Whoever holds no link learns nothing, not even whether there is such a file. */
    async findByLink(use: LinkUse, id: string, proof: LinkProof): Promise<StoredFile> {
      const fileId = parseFileId(id);
      const verdict = fileId === null ? "forged" : links.check(use, fileId, proof, Date.now());
      if (verdict === "expired") throw fail("FORBIDDEN", { message: "This link has expired." });
      if (fileId === null || verdict === "forged") throw fail("FORBIDDEN", { message: "This link is not valid." });
      const file = await store.fileOfLink({ fileId });
      if (file === null) throw notFound(toFileId(fileId));
      return file;
    },
  };
}

function createReceiving(options: FileOptions) {
  const { store, contents, limits, underWay } = options;
  const roomOf = async (accountId: string) =>
    limits.maxAccountFileBytes - (await store.fileTotals({ accountId })).bytes;
  return {
    async receive(accountId: string, { source, declared }: Incoming): Promise<Received> {
      if (declared !== null) checkSize(declared, limits);
      const counted = underWay.count(accountId, await roomOf(accountId), source);
      return contents.receive(counted, { maxBytes: limits.maxFileBytes, limit: "maxFileBytes" });
    },
    /** Its bytes are in the quota since they were announced. */
    async receiveExactly({ bytes }: StoredFile, { source, declared }: Incoming): Promise<Received> {
      if (declared !== null && declared !== bytes) throw wrongSize(bytes, declared);
      const received = await contents.receive(source, { maxBytes: bytes, limit: "the size that was announced" });
      if (received.bytes === bytes) return received;
      await contents.discard(received);
      throw wrongSize(bytes, received.bytes);
    },
  };
}

function presign(links: FileLinks, use: LinkUse, fileId: string, expiresIn: number): PresignedUrl {
  return { url: links.of(use, fileId, Date.now() + expiresIn * 1_000), expiresIn };
}

const used = () => fail("FORBIDDEN", { message: "This link was used; it works once." });

type Uploads = Pick<FileService, "upload" | "awaitUpload" | "uploadByLink">;

function createUploads(options: FileOptions): Uploads {
  const { store, contents, limits, links, collector } = options;
  const { receive, receiveExactly } = createReceiving(options);
  /** Files whose content is on its way to their link. */
  const open = new Set<string>();
  const { findByLink } = createFinding(options);
  const factsOf = async ({ facts }: Parameters<FileService["upload"]>[1], received: Received): Promise<FileFacts> => {
    try {
      return await facts();
    } catch (error) {
      await contents.discard(received);
      throw error;
    }
  };
  /** What is refused after all leaves its content loose. */
  const keep = async <T>(received: Received, take: () => Promise<T>): Promise<T> => {
    try {
      return await keepContent(received, options, take);
    } catch (error) {
      collector.wake();
      throw error;
    }
  };
  return {
    async upload(accountId, incoming) {
      const received = await receive(accountId, incoming);
      const facts = await factsOf(incoming, received);
      const file = { ...toFile(accountId, facts, received.bytes), hash: received.hash };
      await keep(received, () => store.addFile({ file, quota: limits }));
      return file;
    },
    async awaitUpload(accountId, { facts, bytes, expiresIn }) {
      checkSize(bytes, limits);
      const file = toFile(accountId, facts, bytes);
      const awaited = { ...file, until: Math.ceil(file.createdAt / 1_000 + expiresIn) * 1_000 };
      await store.addFile({ file: awaited, quota: limits });
      return { file: awaited, upload: presign(links, "put", file.id, expiresIn) };
    },
    async uploadByLink(id, proof, incoming) {
      const file = await findByLink("put", id, proof);
      if (file.hash !== null) throw used();
      // Its bytes are in the quota once: so they may also be on their way once only.
      if (open.has(file.id)) throw fail("CONFLICT", { message: "An upload to this link is under way already." });
      open.add(file.id);
      try {
        // What began in time may end later.
        const now = Date.now();
        const received = await receiveExactly(file, incoming);
        const { hash } = received;
        const complete = () => store.completeUpload({ fileId: file.id, hash, bytes: file.bytes, now });
        if (!(await keep(received, complete))) throw notFound(toFileId(file.id));
        return { ...file, hash, until: null };
      } finally {
        open.delete(file.id);
      }
    },
  };
}

/** Makes the service. */
export function createFiles(options: FileOptions): FileService {
  const { store, contents, links, collector } = options;
  const { find, findByLink } = createFinding(options);
  return {
    ...createUploads(options),
    find,
    findByLink: (id, proof) => findByLink("get", id, proof),
    async list({ accountId, cursor, limit }) {
      const items = await store.listFiles({ accountId, after: afterOf(cursor), limit });
      const last = items.at(-1);
      return { items, next: last === undefined || items.length < limit ? null : cursorOf(last) };
    },
    outputs: (target) => store.listOutputs(target),
    async open({ hash, id }, range) {
      if (hash === null) throw fail("CONFLICT", { message: "The content of this file was not uploaded yet." });
      const content = await contents.open(hash, range);
      if (content === null) throw notFound(toFileId(id));
      return content;
    },
    async presign(target, expiresIn) {
      const { id } = await find(target);
      return presign(links, "get", id, expiresIn);
    },
    async remove(target) {
      const { accountId, id: fileId } = await find(target);
      if (!(await store.removeFile({ accountId, fileId }))) throw notFound(target.id);
      collector.wake();
    },
  };
}
