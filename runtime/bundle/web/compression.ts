import { TransformStream } from "./streams-library.ts";

type Library = typeof import("./compression-library.ts");
declare function require(id: "./compression-library.ts"): Library;

interface Codec {
  ondata: (chunk: Uint8Array, final: boolean) => void;
  push(chunk: Uint8Array, final?: boolean): void;
}

const COMPRESSORS: Readonly<Record<string, "Gzip" | "Zlib" | "Deflate">> = {
  gzip: "Gzip",
  deflate: "Zlib",
  "deflate-raw": "Deflate",
};
const DECOMPRESSORS: Readonly<Record<string, "Gunzip" | "Unzlib" | "Inflate">> = {
  gzip: "Gunzip",
  deflate: "Unzlib",
  "deflate-raw": "Inflate",
};

function toBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError("a compression stream takes chunks of bytes");
}

function codecPair(codec: Codec) {
  return new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      codec.ondata = (chunk) => {
        if (chunk.length > 0) controller.enqueue(chunk);
      };
    },
    transform(chunk) {
      const bytes = toBytes(chunk);
      if (bytes.length > 0) codec.push(bytes);
    },
    flush() {
      try {
        codec.push(new Uint8Array(0), true);
      } catch (cause) {
        throw new TypeError("the compressed data is not complete", { cause });
      }
    },
  });
}

function nameIn<N extends string>(table: Readonly<Record<string, N>>, format: unknown): N {
  const name = table[String(format)];
  if (name === undefined)
    throw new TypeError(`${JSON.stringify(format)} is not a format; use gzip, deflate or deflate-raw`);
  return name;
}

/** Compresses a stream of bytes. */
export class CompressionStream {
  readonly readable: ReturnType<typeof codecPair>["readable"];
  readonly writable: ReturnType<typeof codecPair>["writable"];
  constructor(format: string) {
    const name = nameIn(COMPRESSORS, format);
    const { readable, writable } = codecPair(new (require("./compression-library.ts")[name])() as Codec);
    this.readable = readable;
    this.writable = writable;
  }
}

/** Decompresses a stream of bytes. */
export class DecompressionStream {
  readonly readable: ReturnType<typeof codecPair>["readable"];
  readonly writable: ReturnType<typeof codecPair>["writable"];
  constructor(format: string) {
    const name = nameIn(DECOMPRESSORS, format);
    const { readable, writable } = codecPair(new (require("./compression-library.ts")[name])() as Codec);
    this.readable = readable;
    this.writable = writable;
  }
}
