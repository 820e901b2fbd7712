import { describe, expect, test } from "vitest";
import { fuse } from "../../../runtime/datastores/search.ts";
import { needsEmbedding, searchMode } from "../../../runtime/datastores/search-params.ts";
import type { SearchParams } from "../../../runtime/datastores/types.ts";
import { errorOf, hitsOf, idsOf, readerOf, schemaOf } from "./fixture.ts";

const schema = schemaOf(
  { id: "text", title: "text", body: "text", year: "integer" },
  { idField: "id", textFields: ["title", "body"], filters: ["year"], vector: { dimensions: 2 } },
);

const records = [
  { id: "pie", title: "Red apple pie", body: "Bake a red apple in dough.", year: 2001, embedding: [1, 0] },
  { id: "tree", title: "The apple tree", body: "It grows; the leaves are red.", year: 2002, embedding: [0.9, 0.1] },
  { id: "mail", title: "E-mail for café owners", body: "naïve senders", year: 2003, embedding: [0, 1] },
  { id: "none", title: "Nothing", body: "", year: 2004, embedding: [0, 0] },
  { id: "late", title: "Fruit", body: "An unrelated apple.", year: 2005 },
].map((data) => ({ data }));

const open = () => readerOf(schema, records);
const find = async (params: SearchParams) => idsOf(hitsOf((await open()).search(1, params)));

describe("keyword search", () => {
  test.each([
    ["pie", ["pie"]],
    ["PIE", ["pie"]],
    ["cafe", ["mail"]],
    ["NAIVE", ["mail"]],
    ['"red apple"', ["pie"]],
    ['"red apple', ["pie", "tree", "late"]],
    ["e-mail", ["mail"]],
    ["own*", ["mail"]],
    ['"apple tr"*', ["tree"]],
    ["own", []],
    ["-pie", ["pie"]],
    ["leaves NOT", ["tree"]],
    ["title:pie", []],
    ["pie^2", []],
    ["NEAR(pie", []],
    ["{pie}", ["pie"]],
    ["pie AND (", ["pie"]],
    ["\u{1f600}", []],
    ["pie \u{1f600}", ["pie"]],
    ["pie\0", ["pie"]],
    ["pie \ud800", ["pie"]],
    ['* ** "" \' ; -- \\ % _ ?', []],
    ["", []],
    ["   ", []],
    ["'; DROP TABLE words; --", []],
  ])("%j finds %j", async (query, ids) => {
    expect(await find({ query })).toEqual(ids);
  });

  test("puts records with all words before those with any of them", async () => {
    const ids = await find({ query: "red leaves" });
    expect(ids).toEqual(["tree", "pie"]);
    expect(await find({ query: "red leaves", top_k: 1, offset: 1 })).toEqual(["pie"]);
  });

  test("ranks by bm25, and leaves out what fits less than min_score", async () => {
    const reader = await open();
    const hits = hitsOf(reader.search(1, { query: "pie unrelated", fields: ["year"] }));
    expect(hits.map(({ data }) => data)).toEqual([{ year: 2005 }, { year: 2001 }]);
    const [best = 0, second = 0] = hits.map(({ score }) => score);
    expect(best).toBeGreaterThan(second);
    expect(idsOf(hitsOf(reader.search(1, { query: "pie unrelated", min_score: best })))).toEqual(["late"]);
  });

  test("keeps to the filter", async () => {
    expect(await find({ query: "apple", filter: { year: { $gt: 2001 } } })).toEqual(["late", "tree"]);
  });

  test("takes texts up to the limit", async () => {
    const reader = await open();
    expect(errorOf(() => reader.search(1, { query: "x".repeat(4_001) }))).toMatchObject({
      code: "LIMIT_EXCEEDED",
      details: { limit: "maxQueryChars", value: 4_001 },
    });
    const words = Array.from({ length: 65 }, (_, at) => `w${at}`).join(" ");
    expect(errorOf(() => reader.search(1, { query: words }))).toMatchObject({ details: { limit: "maxQueryWords" } });
  });
});

describe("vector search", () => {
  test("ranks by cosine similarity; a vector without direction is near nothing", async () => {
    const hits = hitsOf((await open()).search(1, { vector: [2, 0], fields: [] }));
    expect(idsOf(hits)).toEqual(["pie", "tree", "mail"]);
    expect(hits[0]?.score).toBeCloseTo(1, 5);
    expect(hits[2]?.score).toBeCloseTo(0, 5);
    expect(await find({ vector: [0, 0] })).toEqual([]);
  });

  test("keeps to the filter, top_k, offset and min_score", async () => {
    expect(await find({ vector: [1, 0], filter: { year: { $gte: 2002 } } })).toEqual(["tree", "mail"]);
    expect(await find({ vector: [1, 0], top_k: 1, offset: 1 })).toEqual(["tree"]);
    expect(await find({ vector: [1, 0], min_score: 0.5 })).toEqual(["pie", "tree"]);
  });

  test("names the field, the dimensions and what it got", async () => {
    const reader = await open();
    expect(errorOf(() => reader.search(1, { vector: [1, 2, 3] }))).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: "datastore: vector: 3 numbers; the vectors of this datastore have 2",
      details: { field: "vector", limit: "dimensions", value: 3 },
    });
    for (const vector of [[1, null], [1, "2"], "12", { length: 2 }])
      expect(errorOf(() => reader.search(1, { vector: vector as number[] }))).toMatchObject({
        code: "INVALID_ARGUMENT",
      });
  });
});

describe("hybrid search", () => {
  test("fuses both rankings", async () => {
    const hits = hitsOf((await open()).search(1, { query: "apple tree", vector: [0.9, 0.1], fields: [] }));
    expect(hits.map(({ id, score }) => [id, score])).toEqual([
      ["tree", 2 / 61],
      ["pie", 2 / 62],
      ["mail", 1 / 63],
      ["late", 1 / 63],
    ]);
  });

  test("gives 1/(60+rank) for each list", () => {
    const list = (...rows: number[]) => rows.map((row) => ({ row, score: 0 }));
    expect(fuse([list(1, 2), list(2, 3)])).toEqual([
      { row: 2, score: 1 / 62 + 1 / 61 },
      { row: 1, score: 1 / 61 },
      { row: 3, score: 1 / 62 },
    ]);
  });
});

describe("the mode", () => {
  const noText = { ...schema, textFields: [] };
  const noVector = { ...schema, vector: null };

  test("is the named one, or follows from what is given", () => {
    const modes = [
      { query: "a" },
      { vector: [1] },
      { query: "a", vector: [1] },
      { query: "a", mode: "vector" as const },
    ];
    expect(modes.map((params) => searchMode(params, schema))).toEqual(["keyword", "vector", "hybrid", "vector"]);
    expect(searchMode({ query: "a" }, noText)).toBe("vector");
  });

  test("says whether the text is to be embedded first", () => {
    expect(needsEmbedding({ query: "a" }, schema)).toBe(false);
    expect(needsEmbedding({ query: "a", mode: "hybrid" }, schema)).toBe(true);
    expect(needsEmbedding({ query: "a", mode: "hybrid", vector: [1, 2] }, schema)).toBe(false);
  });

  test("is refused where the datastore cannot do it", () => {
    expect(errorOf(() => searchMode({ mode: "keyword" }, noText))).toMatchObject({ message: /needs text fields/ });
    expect(errorOf(() => searchMode({ mode: "hybrid" }, noVector))).toMatchObject({ message: /needs vectors/ });
    expect(errorOf(() => searchMode({ mode: "fuzzy" as never }, schema))).toMatchObject({ message: /got "fuzzy"/ });
  });
});

test.each([
  [{ query: "a", top_k: 0 }, /top_k must be a whole number from 1 to 1000, got 0/],
  [{ query: "a", top_k: 1_001 }, /top_k: 1001 is over the limit top_k of 1000/],
  [{ query: "a", offset: -1 }, /offset must be a whole number/],
  [{ query: "a", offset: 1e9 }, /over the limit offset of 10000/],
  [{ query: "a", fields: "title" }, /fields must be a list/],
  [{ query: "a", fields: ["embedding"] }, /there is no field "embedding"/],
  [{ query: "a", min_score: "1" }, /min_score must be a number/],
  [{ query: "a", limit: 1 }, /a search has no member "limit"/],
  [{ query: 5 }, /query must be a text, got 5/],
  [{}, /needs a query/],
  [{ mode: "vector", query: "a" }, /needs a vector; texts of this datastore are not embedded/],
  [null, /must be an object/],
])("a search refuses %j", async (params, message) => {
  const reader = await open();
  const code = expect.stringMatching(/INVALID_ARGUMENT|LIMIT_EXCEEDED/);
  expect(errorOf(() => reader.search(1, params as SearchParams))).toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});
