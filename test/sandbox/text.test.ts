import { afterAll, beforeAll, expect, test } from "vitest";
import { type GuestHost, startGuestHost } from "../support/guest.ts";

let guest: GuestHost;

beforeAll(async () => {
  guest = await startGuestHost();
});
afterAll(() => guest.close());

/** Decodes every quadruple as strictly and as laxly as it can; the same text runs in the guest and here. */
const DECODE = `
  const decode = (bytes, fatal) => {
    try {
      return new TextDecoder("utf-8", { fatal, ignoreBOM: true }).decode(new Uint8Array(bytes));
    } catch (error) {
      return error instanceof TypeError ? "refused" : String(error);
    }
  };
  const all = [];
  for (const a of leads) for (const b of edges) for (const c of edges) for (const d of edges) {
    all.push([[a, b, c, d].join(), decode([a, b, c, d], true), decode([a, b, c, d], false)]);
  }
  return all;`;

/** Bytes around the borders of UTF-8's table. */
const LEADS = [0x41, 0x80, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5];
const EDGES = [0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbd, 0xbf, 0xc2, 0xf0];

test("a fatal decoder refuses a character cut short, and only a real U+FFFD passes", async () => {
  const { output } = await guest.run(`
    const decode = (...bytes) => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes));
    let cut = "passed";
    try { decode(0xf0, 0x9f, 0x98, 0x41); } catch (error) { cut = error.name; }
    return [cut, decode(0xef, 0xbf, 0xbd)];`);
  expect(output).toEqual(["TypeError", "\ufffd"]);
});

test("a decoder agrees with the platform's on all edges", async () => {
  const expected = new Function("leads", "edges", DECODE)(LEADS, EDGES);
  const { output } = await guest.run(`
    const leads = ${JSON.stringify(LEADS)}, edges = ${JSON.stringify(EDGES)};
    ${DECODE}`);
  expect(output).toEqual(expected);
});
