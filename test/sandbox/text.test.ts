import { expect, test } from "vitest";
import { decodeUtf8 } from "../../sandbox/text.ts";

/** The text of the bytes or "refused", as the guest's fatal decoder and Node's see them. */
const ours = (bytes: Uint8Array) => decoded(() => decodeUtf8(bytes, { fatal: true, stream: false }).text);
const theirs = (bytes: Uint8Array) =>
  decoded(() => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));

function decoded(decode: () => string): string {
  try {
    return decode();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return "refused";
  }
}

/** Bytes around every border of UTF-8's table. */
const EDGES = [0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbd, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff];

test("a fatal decoder refuses a character cut short, and only a real U+FFFD passes", () => {
  expect(ours(new Uint8Array([0xf0, 0x9f, 0x98, 0x41]))).toBe("refused");
  expect(ours(new Uint8Array([0xef, 0xbf, 0xbd]))).toBe("\ufffd");
});

test("a decoder agrees with the platform's on all edges", () => {
  const leads = [0x41, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0x80];
  for (const lead of leads)
    for (const second of EDGES)
      for (const third of EDGES)
        for (const fourth of EDGES) {
          const bytes = new Uint8Array([lead, second, third, fourth]);
          const lax = decodeUtf8(bytes, { fatal: false, stream: false }).text;
          const message = bytes.toHex();
          if (ours(bytes) !== theirs(bytes)) expect(ours(bytes), message).toBe(theirs(bytes));
          const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
          if (lax !== expected) expect(lax, message).toBe(expected);
        }
});
