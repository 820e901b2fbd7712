import { Blob, blobBytes, concatBytes, copyBytes } from "./blob.ts";
import { decodeForm, encodeForm, FormData } from "./form-data.ts";
import type { Headers } from "./headers.ts";
import type { streams } from "./streams.ts";
import { URLSearchParams } from "./url.ts";

type ReadableStream = InstanceType<ReturnType<typeof streams>["ReadableStream"]>;

/** What a body can be made from. */
export type BodyInit = string | ArrayBuffer | ArrayBufferView | Blob | FormData | URLSearchParams | ReadableStream;

interface Content {
  /** Text, bytes, or a stream of bytes; null for no body. */
  readonly data: string | Uint8Array<ArrayBuffer> | ReadableStream | null;
  readonly type: string | null;
}

const isStream = (value: object): value is ReadableStream =>
  "getReader" in value && typeof value.getReader === "function";

function toContent(init: BodyInit | null | undefined): Content {
  if (init === null || init === undefined) return { data: null, type: null };
  if (typeof init === "string") return { data: init, type: "text/plain;charset=UTF-8" };
  if (init instanceof Blob) return { data: blobBytes(init), type: init.type === "" ? null : init.type };
  if (init instanceof FormData) {
    const { bytes, type } = encodeForm(init);
    return { data: bytes, type };
  }
  if (init instanceof ArrayBuffer || ArrayBuffer.isView(init)) return { data: copyBytes(init), type: null };
  if (isStream(init)) return { data: init, type: null };
  const isParams = Object.prototype.toString.call(init) === "[object URLSearchParams]";
  const type = isParams ? "application/x-www-form-urlencoded;charset=UTF-8" : "text/plain;charset=UTF-8";
  return { data: String(init), type };
}

async function drain(stream: ReadableStream): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatBytes(pieces);
    if (!(value instanceof Uint8Array)) throw new TypeError("a body stream gives chunks of Uint8Array");
    pieces.push(value);
  }
}

/** What Request and Response share: content that can be read once. */
export abstract class Body {
  abstract readonly headers: Headers;
  #data: Content["data"];
  readonly #type: string | null;
  #used = false;

  constructor(init: BodyInit | null | undefined) {
    const { data, type } = toContent(init);
    this.#data = data;
    this.#type = type;
  }

  /** Gives the headers the content type of the body, unless they have one. */
  protected describeBody(): void {
    if (this.#type !== null && !this.headers.has("content-type")) this.headers.set("content-type", this.#type);
  }
  /** The same content for a clone: a stream is split in two. */
  protected shareBody(): BodyInit | null {
    if (this.bodyUsed) throw new TypeError("the body was already read");
    if (this.#data === null || typeof this.#data === "string" || this.#data instanceof Uint8Array) return this.#data;
    const [mine, other] = this.#data.tee();
    this.#data = mine;
    return other;
  }
  #take(): Content["data"] {
    if (this.bodyUsed) throw new TypeError("the body was already read");
    this.#used = this.#data !== null;
    return this.#data;
  }

  get bodyUsed(): boolean {
    return this.#used;
  }
  get body(): ReadableStream | null {
    const data = this.#data;
    if (data === null || (typeof data === "object" && isStream(data))) return data;
    const stream = new Blob([data]).stream();
    this.#data = stream;
    return stream;
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const data = this.#take();
    if (data === null) return new Uint8Array(0);
    if (typeof data === "string") return new TextEncoder().encode(data);
    return data instanceof Uint8Array ? data.slice() : await drain(data);
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }
  async text(): Promise<string> {
    if (typeof this.#data === "string") return this.#take() as string;
    return new TextDecoder().decode(await this.bytes());
  }
  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
  async blob(): Promise<Blob> {
    const type = this.headers.get("content-type") ?? "";
    return new Blob([await this.bytes()], { type });
  }
  async formData(): Promise<FormData> {
    const type = this.headers.get("content-type") ?? "";
    if (/^multipart\/form-data/i.test(type)) return decodeForm(await this.bytes(), type);
    if (!/^application\/x-www-form-urlencoded/i.test(type))
      throw new TypeError(`a body of type ${JSON.stringify(type)} is no form`);
    const form = new FormData();
    for (const [name, value] of new URLSearchParams(await this.text())) form.append(name, value);
    return form;
  }
}
