import { describe, expect, it } from "vitest";
import { commonHead, fromDelta, toDelta } from "../../../src/store/sqlite/delta.ts";
import { createRandom } from "../../crash/random.ts";

const between = (base: string, text: string) => toDelta(base, text, commonHead(base, text));

function expectRound(base: string, text: string) {
  const delta = between(base, text);
  if (delta === null) return null;
  expect(fromDelta(base, delta)).toBe(text);
  // SQLite keeps UTF-8, which has no half pairs.
  expect(delta.text.isWellFormed()).toBe(true);
  return delta;
}

const messages = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({ role: "user", content: `message ${from + at} `.repeat(30) }));
const argsOf = (...lists: object[][]) => JSON.stringify({ messages: lists.flat(), model: "gpt", temperature: 0 });

describe("a delta", () => {
  it("of a chat that grew is what was said since", () => {
    const delta = expectRound(argsOf(messages(0, 50)), argsOf(messages(0, 52)));
    expect(delta?.text).toBe(`,${JSON.stringify(messages(50, 2)).slice(1, -1)}`);
  });

  it("of a window that moved on is what entered it", () => {
    const system = [{ role: "system", content: "Be kind. ".repeat(40) }];
    const delta = expectRound(argsOf(system, messages(0, 50)), argsOf(system, messages(2, 50)));
    expect(delta?.text.length).toBeLessThan(JSON.stringify(messages(50, 2)).length + 20);
  });

  it("of a chat within the body of an HTTP request is as small", () => {
    const bodyOf = (count: number) => JSON.stringify({ url: "https://x/", body: argsOf(messages(0, count)) });
    expect(expectRound(bodyOf(50), bodyOf(51))?.text.length).toBeLessThan(600);
  });

  it("of equal texts is empty", () => {
    expect(expectRound("x".repeat(100), "x".repeat(100))).toMatchObject({ head: 100, run: 0, tail: 0, text: "" });
  });

  it("is not worth it for texts that share little", () => {
    expect(between("a".repeat(1_000), "b".repeat(1_000))).toBeNull();
    expect(between("", "anything at all")).toBeNull();
    expect(between("short", "short")).toBeNull();
  });

  it.each([
    ["😀".repeat(100), `${"😀".repeat(99)}😁`],
    [`${"x".repeat(99)}😀tail`, `${"x".repeat(99)}😁tail`],
    [`head ${"x".repeat(80)}😀`, `head ${"x".repeat(80)}${"y".repeat(600)}😀`],
    [`${"x".repeat(70)}\u{1f600}`, `${"x".repeat(70)}\u{1f700}\u{1f600}`],
  ])("cuts no surrogate pair (%#)", (base, text) => {
    expect(expectRound(base, text)).not.toBeNull();
  });

  it("gives any text back", () => {
    const random = createRandom(7);
    const piece = () => ["a", "é", "😀", "😁", "xyz", '{"role":"user"}', " "][random.between(0, 6)] ?? "";
    const some = (count: number) => Array.from({ length: count }, piece);
    let found = 0;
    for (let round = 0; round < 500; round++) {
      const pieces = some(random.between(0, 900));
      const [cut, skip] = [random.between(0, pieces.length), random.between(0, 30)];
      const changed = [...pieces.slice(0, cut), ...some(random.between(0, 20)), ...pieces.slice(cut + skip)];
      if (expectRound(pieces.join(""), changed.join("")) !== null) found++;
    }
    expect(found).toBeGreaterThan(300);
  });
});
