import { expect, test } from "vitest";
import { readEvents } from "../../src/cli/sse.ts";

async function events(...parts: readonly string[]): Promise<readonly string[]> {
  const bytes = parts.map((part) => new TextEncoder().encode(part));
  return Array.fromAsync(readEvents(ReadableStream.from(bytes) as ReadableStream<Uint8Array>));
}

test("comments are skipped and data is yielded in order", async () => {
  expect(await events(": ok\n\ndata: 1\n\n: hb\n\ndata: 2\n\ndata: [DONE]\n\n")).toEqual(["1", "2", "[DONE]"]);
});

test("an event may arrive in pieces, also in the middle of a character", async () => {
  const bytes = new TextEncoder().encode('data: {"a":"é"}\r\n\r\n');
  const pieces = Array.from(bytes, (byte) => new Uint8Array([byte]));
  const body = ReadableStream.from(pieces) as ReadableStream<Uint8Array>;
  expect(await Array.fromAsync(readEvents(body))).toEqual(['{"a":"é"}']);
});

test("several data lines of one event are joined by newlines", async () => {
  expect(await events("data: a\ndata:b\n\n")).toEqual(["a\nb"]);
});

test("an event without its closing empty line is not yielded", async () => {
  expect(await events("data: 1\n\ndata: 2\n")).toEqual(["1"]);
});
