import { expect, test } from "vitest";
import { createInputCheck, toJsonSchema } from "../../src/engine/schema.ts";
import { thrownBy } from "../support/thrown.ts";

const schema = {
  type: "object",
  required: ["query"],
  additionalProperties: false,
  properties: { query: { type: "string" }, top: { type: "integer", minimum: 1 } },
};

test("input that matches passes", () => {
  expect(() => createInputCheck(schema)?.({ query: "x", top: 2 })).not.toThrow();
});

test("all problems are listed with their paths", () => {
  const error = thrownBy(() => createInputCheck(schema)?.({ top: 0, extra: 1 }));
  expect(error).toMatchObject({ code: "VALIDATION_ERROR" });
  expect(error.details["problems"]).toEqual([
    { path: "", message: "must have required property 'query'" },
    { path: "", message: "must NOT have additional properties: extra" },
    { path: "/top", message: "must be >= 1" },
  ]);
});

test("no input is checked as null", () => {
  expect(() => createInputCheck(schema)?.(undefined)).toThrow("input: must be object");
});

test("a Maitai field map is converted", () => {
  const fields = { query: { type: "string", description: "what", required: true }, n: { type: "number" } };
  expect(toJsonSchema(fields)).toEqual({
    type: "object",
    properties: { query: { type: "string" }, n: { type: "number" } },
    required: ["query"],
  });
  expect(() => createInputCheck(fields)?.({ n: "1" })).toThrow("must have required property 'query' (and 1 more)");
});

test("a field map may have a field called type", () => {
  expect(toJsonSchema({ type: { type: "string" } })).toMatchObject({ properties: { type: { type: "string" } } });
});

test.each([
  [{ type: "objekt" }, "inputSchema: "],
  [{ a: { type: "date" } }, 'inputSchema.a.type: must be one of string, number, boolean, object, array, got "date"'],
  [[1], "inputSchema: must be an object"],
  [{ $ref: "https://example.com/other.json" }, "inputSchema: "],
])("the schema %o is refused", (raw, message) => {
  const error = thrownBy(() => createInputCheck(raw));
  expect(error.code).toBe("INVALID_WORKFLOW_SCHEMA");
  expect(error.message).toContain(message);
});

test("a schema that would be checked for ever is stopped", () => {
  const check = createInputCheck({ type: "string", pattern: "^(a+)+$" });
  expect(() => check?.(`${"a".repeat(40)}!`)).toThrow("input: checking it against the schema took over 250 ms");
  expect(() => check?.("aaa")).not.toThrow();
});

test("schemas of several workflows may have the same id", () => {
  const one = { $id: "https://example.com/in", type: "string" };
  const other = { $id: "https://example.com/in", type: "number" };
  expect(() => createInputCheck(one)?.("x")).not.toThrow();
  expect(() => createInputCheck(other)?.(1)).not.toThrow();
});
