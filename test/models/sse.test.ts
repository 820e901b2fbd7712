import { describe, expect, test } from "vitest";
import { createSseParser } from "../../runtime/models/sse.ts";

const parse = (...pieces: readonly (string | Uint8Array)[]) => {
  const parser = createSseParser();
  return pieces.flatMap((piece) => parser.push(typeof piece === "string" ? Buffer.from(piece) : piece));
};

describe("event streams", () => {
  test("data lines are joined; comments, names and ids are dropped", () => {
    expect(parse(": hello\n\nevent: x\nid: 1\ndata: a\ndata:b\n\ndata: [DONE]\n\n")).toEqual(["a\nb", "[DONE]"]);
  });

  test("every line end is understood, also when it is cut in two", () => {
    expect(parse("data: a\r\n\r\ndata: b\r", "\n\r", "\ndata: c\r\rdata: d\n", "\n")).toEqual(["a", "b", "c", "d"]);
  });

  test("events and characters cut anywhere come out whole", () => {
    const bytes = Buffer.from("data: grüße 👋\n\n");
    for (let at = 0; at <= bytes.length; at++) {
      expect(parse(bytes.subarray(0, at), bytes.subarray(at))).toEqual(["grüße 👋"]);
    }
  });

  test("an event of many pieces comes out whole, a line end split from its pieces included", () => {
    const pieces = Array.from({ length: 1_000 }, (_, at) => `${at},`);
    expect(parse("data: ", ...pieces, "\r", "x", "\n\n")).toEqual([pieces.join("")]);
  });

  test("the length of an unfinished event is known", () => {
    const parser = createSseParser();
    parser.push(Buffer.from("data: 12345\ndata: 678"));
    expect(parser.pending()).toBe(14);
  });
});
