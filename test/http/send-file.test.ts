import { describe, expect, test } from "vitest";
import { dispositionOf, rangeOf } from "../../src/http/send-file.ts";

describe("rangeOf", () => {
  test.each([
    ["bytes=0-3", { start: 0, end: 3 }],
    ["bytes=4-", { start: 4, end: 9 }],
    ["bytes=-3", { start: 7, end: 9 }],
    ["bytes=-99", { start: 0, end: 9 }],
    ["bytes=8-99", { start: 8, end: 9 }],
    ["bytes=10-", "outside"],
    ["bytes=-0", "outside"],
    ["bytes=3-2", null],
    ["bytes=0-1,3-4", null],
    ["bytes=-", null],
    ["bytes=a-b", null],
    ["lines=0-3", null],
    [undefined, null],
  ])("%s of 10 bytes", (header, expected) => {
    expect(rangeOf(header, 10)).toEqual(expected);
  });

  test("nothing of an empty file can be asked for", () => {
    expect([rangeOf("bytes=0-", 0), rangeOf("bytes=-1", 0)]).toEqual(["outside", "outside"]);
  });
});

describe("dispositionOf", () => {
  test.each([
    ["report.pdf", `attachment; filename="report.pdf"; filename*=UTF-8''report.pdf`],
    ['a"b\\c.txt', `attachment; filename="a_b_c.txt"; filename*=UTF-8''a%22b%5Cc.txt`],
    ["naïve (1)*'.txt", `attachment; filename="na_ve (1)__.txt"; filename*=UTF-8''na%C3%AFve%20%281%29%2A%27.txt`],
    ["x\r\nSet-Cookie: a", `attachment; filename="x__Set-Cookie_ a"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a`],
    ["\ud800", `attachment; filename="_"; filename*=UTF-8''%EF%BF%BD`],
  ])("%j", (name, expected) => {
    expect(dispositionOf(name)).toBe(expected);
  });
});
