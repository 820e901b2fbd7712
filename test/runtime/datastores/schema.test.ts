import { expect, test } from "vitest";
import { parseSchema } from "../../../runtime/datastores/schema.ts";
import { DEFAULT_LIMITS } from "../../../runtime/limits.ts";
import { errorOf } from "./fixture.ts";

const parse = (schema: unknown) => parseSchema(schema, DEFAULT_LIMITS);
const complaint = (schema: unknown) => errorOf(() => parse(schema));
const columns = [
  { name: "id", type: "text", nullable: false },
  { name: "n", type: "integer" },
];

test("leaves nothing optional", () => {
  expect(parse({ columns, idField: "id", vector: { dimensions: 3 } })).toEqual({
    idField: "id",
    columns: [
      { name: "id", type: "text", nullable: false },
      { name: "n", type: "integer", nullable: true },
    ],
    textFields: [],
    filters: [],
    vector: { field: "embedding", dimensions: 3, metric: "cosine", source: "data" },
  });
});

test("refuses more columns than the limit, naming it and the number", () => {
  const many = Array.from({ length: 10_000 }, (_, at) => ({ name: `c${at}`, type: "text" }));
  expect(complaint({ columns: many })).toMatchObject({
    code: "INVALID_REQUEST",
    message: "schema: 10000 columns; the limit maxDatastoreColumns is 1000",
    details: { limit: "maxDatastoreColumns", value: 10_000 },
  });
});

test.each([
  [{ columns: [{ name: "a", type: "date" }] }, /"a" must be one of text, integer, real, boolean, json, got "date"/],
  [{ columns: [{ name: "", type: "text" }] }, /columns\[0\]\.name must be a name/],
  [{ columns: [{ name: "a\0", type: "text" }] }, /NUL/],
  [{ columns: [{ name: "a\ud800", type: "text" }] }, /surrogate/],
  [{ columns: [{ name: "a".repeat(200), type: "text" }] }, /200 characters; the limit is 128/],
  [{ columns: [...columns, { name: "n", type: "text" }] }, /two columns have the name "n"/],
  [{ columns, idField: "x" }, /idField names "x", which is not a column/],
  [{ columns: [{ name: "p", type: "real" }], idField: "p" }, /"p", which is real and not text or integer/],
  [{ columns, textFields: ["n"] }, /textFields names "n", which is integer/],
  [{ columns, filters: ["__proto__"] }, /filters names "__proto__", which is not a column/],
  [{ columns, vector: { dimensions: 0 } }, /vector\.dimensions must be a whole number from 1 to 8192, got 0/],
  [{ columns, vector: { dimensions: 3, field: "n" } }, /vector\.field "n" is also a column/],
  [{ columns, vector: { dimensions: 3, metric: "l2" } }, /vector\.metric must be "cosine"/],
  [{ columns, colour: 1 }, /it has no member "colour"/],
  [null, /must be an object/],
])("refuses %j", (schema, message) => {
  expect(complaint(schema)).toMatchObject({ code: "INVALID_REQUEST", message: expect.stringMatching(message) });
});
