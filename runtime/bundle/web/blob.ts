import { streams } from "./streams.ts";

/** What a Blob is made of. */
export type BlobPart = string | ArrayBuffer | ArrayBufferView | Blob;

/** Copies the bytes of a buffer or a view. */
export function copyBytes(source: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  if (source instanceof ArrayBuffer) return new Uint8Array(source.slice(0));
  return new Uint8Array(new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength));
}

/** Joins pieces of bytes. */
export function concatBytes(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

function partBytes(part: BlobPart): Uint8Array {
  if (part instanceof Blob) return blobBytes(part);
  if (part instanceof ArrayBuffer || ArrayBuffer.isView(part)) return copyBytes(part);
  return new TextEncoder().encode(String(part));
}

let readBytes: (blob: Blob) => Uint8Array<ArrayBuffer>;

/** Immutable bytes with a media type. */
export class Blob {
  readonly type: string;
  #bytes: Uint8Array<ArrayBuffer>;

  static {
    readBytes = (blob) => blob.#bytes;
  }

  constructor(parts: Iterable<BlobPart> = [], options: { type?: string } = {}) {
    this.#bytes = concatBytes([...parts].map(partBytes));
    this.type = /^[\x20-\x7e]*$/.test(options.type ?? "") ? (options.type ?? "").toLowerCase() : "";
  }
  get size(): number {
    return this.#bytes.length;
  }
  slice(start = 0, end: number = this.size, type = ""): Blob {
    return new Blob([this.#bytes.slice(start, end)], { type });
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bytes.slice();
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer;
  }
  async text(): Promise<string> {
    return new TextDecoder().decode(this.#bytes);
  }
  stream(): InstanceType<ReturnType<typeof streams>["ReadableStream"]> {
    const bytes = this.#bytes.slice();
    const { ReadableStream } = streams();
    return new ReadableStream({
      start(controller) {
        if (bytes.length > 0) controller.enqueue(bytes);
        controller.close();
      },
    });
  }
  get [Symbol.toStringTag](): string {
    return "Blob";
  }
}

/** The bytes of a blob, at once; not to be changed. */
export function blobBytes(blob: Blob): Uint8Array<ArrayBuffer> {
  return readBytes(blob);
}

/** A Blob with a name. */
export class File extends Blob {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  constructor(parts: Iterable<BlobPart>, name: string, options: { type?: string; lastModified?: number } = {}) {
    super(parts, options);
    this.name = String(name);
    this.lastModified = options.lastModified ?? 0;
  }
  override get [Symbol.toStringTag](): string {
    return "File";
  }
}
