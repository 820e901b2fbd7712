import { TransformStream } from "./streams-library.ts";

/** Turns a stream of strings into UTF-8 bytes; surrogate pairs may be split between chunks. */
export class TextEncoderStream {
  readonly encoding = "utf-8";
  readonly readable: ReturnType<typeof encoderPair>["readable"];
  readonly writable: ReturnType<typeof encoderPair>["writable"];
  constructor() {
    const { readable, writable } = encoderPair();
    this.readable = readable;
    this.writable = writable;
  }
}

function encoderPair() {
  const encoder = new TextEncoder();
  let held = "";
  return new TransformStream<string, Uint8Array>({
    transform(chunk, controller) {
      const text = held + String(chunk);
      held = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : "";
      const ready = held === "" ? text : text.slice(0, -1);
      if (ready !== "") controller.enqueue(encoder.encode(ready));
    },
    flush(controller) {
      if (held !== "") controller.enqueue(encoder.encode(held));
    },
  });
}

/** Turns a stream of UTF-8 bytes into strings; characters may be split between chunks. */
export class TextDecoderStream {
  readonly encoding = "utf-8";
  readonly readable: ReturnType<typeof decoderPair>["readable"];
  readonly writable: ReturnType<typeof decoderPair>["writable"];
  constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const { readable, writable } = decoderPair(new TextDecoder(label, options));
    this.readable = readable;
    this.writable = writable;
  }
}

function decoderPair(decoder: TextDecoder) {
  return new TransformStream<Uint8Array, string>({
    transform(chunk, controller) {
      const text = decoder.decode(chunk, { stream: true });
      if (text !== "") controller.enqueue(text);
    },
    flush(controller) {
      const text = decoder.decode();
      if (text !== "") controller.enqueue(text);
    },
  });
}
