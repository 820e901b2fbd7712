import type { ByteRange, FileService, StoredFile } from "../engine/files/file-service.ts";
import type { Reply, Request } from "./dialects/dialect.ts";

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/** The part of `size` bytes that a `Range` header asks for; null = all of it (none, several or nonsense), "outside" when there is no such part. */
export function rangeOf(header: string | undefined, size: number): ByteRange | "outside" | null {
  const [, first, last] = RANGE.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return null;
  if (first === "")
    return Number(last) === 0 || size === 0 ? "outside" : { start: Math.max(0, size - Number(last)), end: size - 1 };
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return null;
  return start >= size ? "outside" : { start, end };
}

/** A `Content-Disposition` that only ever saves, under a name that cannot end the header or its quotes. */
export function dispositionOf(name: string): string {
  const plain = name.replaceAll(/[^\w .()+-]/g, "_");
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

function headersOf({ contentType, name, hash }: StoredFile): Record<string, string> {
  return {
    "content-type": contentType,
    "content-disposition": dispositionOf(name),
    // Whatever it says it is: nothing of it is shown or run by a browser at this address.
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "accept-ranges": "bytes",
    etag: `"${hash}"`,
  };
}

/** Answers with a file's content, or the part of it that was asked for, at the pace of whoever reads it. */
export async function sendFile(
  files: Pick<FileService, "open">,
  file: StoredFile,
  request: Request,
  reply: Reply,
): Promise<Reply> {
  const { range, "if-range": ifRange } = request.headers;
  const headers = headersOf(file);
  const isSame = ifRange === undefined || ifRange === headers["etag"];
  const part = isSame ? rangeOf(range, file.bytes) : null;
  if (part === "outside") {
    return reply
      .code(416)
      .headers({ "content-range": `bytes */${file.bytes}`, "accept-ranges": "bytes" })
      .send();
  }
  const length = part === null ? file.bytes : part.end - part.start + 1;
  // Also for HEAD: a file whose content is not there has none to speak of.
  const content = await files.open(file, part ?? undefined);
  reply.code(part === null ? 200 : 206).headers({ ...headers, "content-length": String(length) });
  if (part !== null) reply.header("content-range", `bytes ${part.start}-${part.end}/${file.bytes}`);
  if (request.method !== "HEAD") return reply.send(content);
  content.destroy();
  return reply.send();
}
