import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from "node:zlib";
import { fail, WorkflowError } from "../errors.ts";
import type { Answer } from "./dispatcher.ts";

/** Encodings asked for and understood. */
export const ACCEPT_ENCODING = "gzip, deflate, br, zstd";

/** More would only serve to hide a bomb. */
const MAX_ENCODINGS = 3;

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** Errors reach the reader of the last stream, hence nothing to do at the end. */
const chain = (source: Readable, decoder: Transform): Readable => pipeline(source, decoder, () => {});

/** Most servers mean zlib data by "deflate", some bare deflate data: the first byte tells. */
async function inflate(source: Readable): Promise<Readable> {
  const iterator: AsyncIterator<Buffer> = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return Readable.from([]);
  const zlib = ((first.value[0] ?? 0) & 0x0f) === 8;
  const all = async function* () {
    yield first.value;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  };
  return chain(Readable.from(all()), zlib ? createInflate() : createInflateRaw());
}

/** The encodings of a body, outermost last; throws UPSTREAM_FAILED for one that is not understood. */
function encodingsOf(header: string | undefined): readonly string[] {
  const names = (header ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  const unknown = names.find((name) => !Object.hasOwn(DECODERS, name));
  if (unknown !== undefined) {
    throw fail("UPSTREAM_FAILED", { message: `http: the response has the unknown content-encoding "${unknown}"` });
  }
  if (names.length > MAX_ENCODINGS) {
    throw fail("UPSTREAM_FAILED", {
      message: `http: the response is encoded ${names.length} times; at most ${MAX_ENCODINGS} are decoded`,
    });
  }
  return names;
}

async function decode(body: Readable, encodings: readonly string[]): Promise<Readable> {
  let stream = body;
  for (const name of [...encodings].reverse()) {
    const create = DECODERS[name] ?? createGunzip;
    stream = name === "deflate" ? await inflate(stream) : chain(stream, create());
  }
  return stream;
}

const overLimit = (maxBytes: number): WorkflowError =>
  fail("LIMIT_EXCEEDED", {
    message: `http: response over ${maxBytes} bytes (max_bytes)`,
    limit: "max_bytes",
    value: maxBytes,
  });

/** The body of an answer, decompressed, as it arrives; its reader bounds what is taken. Throws UPSTREAM_FAILED for an encoding that is not understood. */
export function decodedBody(answer: Answer): Promise<Readable> {
  return decode(answer.body, encodingsOf(answer.headers["content-encoding"]));
}

/** Reads and decompresses a body, telling `hold` of every piece; throws LIMIT_EXCEEDED as soon as it is over `maxBytes`, and closes the connection then. */
export async function readBody(answer: Answer, maxBytes: number, hold: (bytes: number) => void): Promise<Uint8Array> {
  const encodings = encodingsOf(answer.headers["content-encoding"]);
  try {
    if (encodings.length === 0 && Number(answer.headers["content-length"]) > maxBytes) throw overLimit(maxBytes);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of (await decode(answer.body, encodings)) as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > maxBytes) throw overLimit(maxBytes);
      hold(chunk.byteLength);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  } catch (error) {
    answer.body.on("error", () => {}).destroy();
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (error instanceof WorkflowError || !/^(Z_|ERR_|ZSTD)/.test(code)) throw error;
    throw fail("UPSTREAM_FAILED", { message: `http: the response's ${encodings.join(", ")} body is damaged` }, error);
  }
}
