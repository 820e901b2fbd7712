import { AjvCompiler } from "@fastify/ajv-compiler";
import { expect, test } from "vitest";
import { createLazyValidators } from "../../src/http/lazy-validators.ts";

const build = AjvCompiler();
const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false };
const options = { customOptions: { coerceTypes: false, removeAdditional: false } } as const;

test("a lazy validator says what the eager one says", () => {
  const eager = build({}, options)({ schema });
  const lazy = createLazyValidators(build)({}, options)({ schema });
  for (const value of [{ n: 1 }, { n: "1" }, { n: 1.5 }, {}, { n: 1, m: 2 }, null, [], { n: 2 }]) {
    expect(lazy(value)).toBe(eager(value));
    expect(lazy.errors ?? null).toEqual(eager.errors ?? null);
  }
});

test("a schema is compiled once, by the first value", () => {
  let compiled = 0;
  const counting: typeof build = (external, given) => {
    const compile = build(external, given);
    return (route) => {
      compiled++;
      return compile(route);
    };
  };
  const lazy = createLazyValidators(counting)({}, options)({ schema });
  expect(compiled).toBe(0);
  expect(lazy({ n: 1 })).toBe(true);
  expect(lazy({ n: "1" })).toBe(false);
  expect(compiled).toBe(1);
});

test("a schema that cannot be compiled throws for every value and lets none through", () => {
  const lazy = createLazyValidators(build)({}, options)({ schema: { type: "nonsense" } });
  expect(() => lazy({})).toThrow(/schema is invalid/);
  expect(() => lazy({})).toThrow(/schema is invalid/);
});
