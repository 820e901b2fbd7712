import { expect, test } from "vitest";
import { problemText, schemaProblems } from "../../sandbox/agents/json-schema.ts";

const NODE = {
  $ref: "#/$defs/node",
  $defs: {
    node: { type: "object", required: ["v"], properties: { v: { type: "integer" }, next: { $ref: "#/$defs/node" } } },
  },
};

const CONDITIONAL = JSON.parse(
  '{ "if": { "properties": { "k": { "const": 1 } } }, "then": { "required": ["a"] }, "else": { "required": ["b"] } }',
);

test.each<[schema: unknown, good: readonly unknown[], bad: readonly unknown[]]>([
  [true, [1, null, {}], []],
  [false, [], [1, null]],
  [{ type: "integer" }, [1, 2.0, -3], [1.5, "1", null, [], {}]],
  [{ type: ["string", "null"] }, ["", null], [0, false]],
  [{ type: "object" }, [{}], [[], null]],
  [{ enum: [1, { a: [1, 2], b: 2 }] }, [1, { b: 2, a: [1, 2] }], ["1", { a: [2, 1], b: 2 }, null]],
  [{ const: null }, [null], [0, false, ""]],
  [{ minimum: 1, maximum: 3, multipleOf: 0.1 }, [1, 1.1, 3, "x"], [0.9, 3.1, 1.05]],
  [{ exclusiveMinimum: 1, exclusiveMaximum: 2 }, [1.5], [1, 2]],
  [{ minLength: 2, maxLength: 3, pattern: "^a" }, ["ab", "a😀", 7], ["a", "abcd", "ba"]],
  [{ items: { type: "number" }, minItems: 1, maxItems: 2 }, [[1], [1, 2], "x"], [[], [1, 2, 3], ["1"]]],
  [{ prefixItems: [{ type: "string" }], items: { type: "number" } }, [[], ["a"], ["a", 1]], [[1], ["a", "b"]]],
  [
    { uniqueItems: true },
    [
      [1, "1"],
      [{ a: 1 }, { a: 2 }],
    ],
    [
      [1, 1],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
    ],
  ],
  [{ contains: { const: 1 } }, [[0, 1]], [[], [0]]],
  [{ required: ["a"], properties: { a: { type: "number" } } }, [{ a: 1 }, { a: 1, b: 2 }, []], [{}, { a: "1" }]],
  [{ properties: { a: {} }, additionalProperties: false }, [{}, { a: 1 }], [{ b: 1 }, JSON.parse('{"__proto__":1}')]],
  [{ required: ["toString"] }, [{ toString: 1 }], [{}]],
  [
    { patternProperties: { "^x": { type: "number" } }, additionalProperties: { type: "string" } },
    [{ x1: 1, y: "a" }],
    [{ x1: "1" }, { y: 1 }],
  ],
  [
    { propertyNames: { maxLength: 2 }, minProperties: 1, maxProperties: 2 },
    [{ ab: 1 }],
    [{}, { abc: 1 }, { a: 1, b: 1, c: 1 }],
  ],
  [{ dependentRequired: { a: ["b"] } }, [{ b: 1 }, { a: 1, b: 1 }], [{ a: 1 }]],
  [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1, 2], [0, 3]],
  [{ anyOf: [{ type: "string" }, { minimum: 5 }] }, ["a", 5], [4]],
  [{ oneOf: [{ type: "number" }, { minimum: 5 }] }, [4, "x"], [5]],
  [{ not: { type: "string" } }, [1], ["a"]],
  [
    CONDITIONAL,
    [
      { k: 1, a: 1 },
      { k: 2, b: 1 },
    ],
    [{ k: 1 }, { k: 2 }],
  ],
  [NODE, [{ v: 1 }, { v: 1, next: { v: 2, next: { v: 3 } } }], [{ v: 1, next: { v: "2" } }, { next: { v: 1 } }]],
  [{ format: "email", description: "x", "x-unknown": 1 }, ["anything"], []],
])("%j", (schema, good, bad) => {
  for (const value of good) expect([value, schemaProblems(schema, value)]).toEqual([value, []]);
  for (const value of bad) expect([value, schemaProblems(schema, value).length > 0]).toEqual([value, true]);
});

test("problems name the place, and there are at most ten", () => {
  const schema = { type: "object", properties: { list: { items: { properties: { "a/b": { type: "number" } } } } } };
  expect(problemText(schemaProblems(schema, { list: [{}, { "a/b": "x" }] }))).toBe(
    "/list/1/a~1b: must be number, got string",
  );
  expect(problemText(schemaProblems({ type: "object" }, 1))).toBe("must be object, got number");
  expect(
    schemaProblems(
      { items: { type: "string" } },
      Array.from({ length: 50 }, (_, n) => n),
    ),
  ).toHaveLength(10);
});

test.each<[unknown, RegExp]>([
  [7, /is not an object/],
  [{ $ref: "https://example.com/x" }, /not within it/],
  [{ $ref: "#/$defs/none" }, /has no/],
  [{ $ref: "#" }, /refers to itself without an end/],
  [{ pattern: "(" }, /Invalid regular expression/],
])("a schema that is none throws: %j", (schema, message) => {
  expect(() => schemaProblems(schema, "text")).toThrow(message);
});
