import { SourceMap } from "node:module";
import { expect, test } from "vitest";
import { narrowMappings } from "../../runtime/bundle/mappings.ts";

const find = (mappings: string, sources: string[], at: readonly [number, number]) => {
  const entry = new SourceMap({
    version: 3,
    file: "",
    sources,
    names: [],
    mappings,
    sourcesContent: [],
    sourceRoot: "",
  }).findEntry(...at);
  return "originalSource" in entry ? [entry.originalSource, entry.originalLine, entry.originalColumn] : null;
};

test("keeps every place of the kept sources, and one segment per stretch of the others", () => {
  // Line 0: a(0,0)@0 lib(5,3)@4 lib(6,0)@9 b(2,1)@12 a(40,900)@20; line 2: lib(0,0)@1 a(1,2)@3.
  const mappings = "AAAA,ICKG,KACH,GCJC,QFsCm4B;;CCvCn4B,EDCE";
  const before = ["a", "lib", "b"];
  const narrowed = narrowMappings(mappings, [0, null, 1], 2);
  const after = ["a", "b", "foreign"];
  for (let column = 0; column < 25; column++) {
    const [was, is] = [find(mappings, before, [0, column]), find(narrowed, after, [0, column])];
    expect(is?.[0]).toBe(was?.[0] === "lib" ? "foreign" : was?.[0]);
    if (was?.[0] !== "lib") expect(is).toEqual(was);
  }
  expect(find(narrowed, after, [2, 3])).toEqual(find(mappings, before, [2, 3]));
  expect(narrowed.split(",").length).toBeLessThan(mappings.split(",").length);
});

test("leaves lines without segments where they are", () => {
  expect(narrowMappings(";;", [], 0)).toBe(";;");
  expect(narrowMappings(";AAAA;AACA", [0], 1)).toBe(";AAAA;AACA");
});
