import { expect, it } from "vitest";
import { Strikes } from "../../src/engine/strikes.ts";

it("sends a version out after two lost hosts and lets it back in after it ran alone without harm", () => {
  const strikes = new Strikes();
  strikes.add("a");
  expect(strikes.isOut("a")).toBe(false);
  strikes.add("a");
  expect([strikes.isOut("a"), strikes.isOut("b")]).toEqual([true, false]);
  strikes.forgive("a");
  expect(strikes.isOut("a")).toBe(false);
  strikes.add("a");
  expect(strikes.isOut("a")).toBe(true);
  strikes.forgive("never seen");
  expect(strikes.isOut("never seen")).toBe(false);
});
