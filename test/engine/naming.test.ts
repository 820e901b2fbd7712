import { expect, test } from "vitest";
import { checkRef } from "../../src/engine/ref.ts";
import { nextVersionNumber } from "../../src/engine/version-number.ts";

test.each(["summarize", "hs_classification", "my-workflow", "a", "v1.2", "0x"])("%s is a ref", (ref) => {
  expect(() => checkRef(ref)).not.toThrow();
});

test.each([
  ["", "ref: must be 1 to 64 letters"],
  ["a b", "ref: must be"],
  ["-a", "ref: must be"],
  ["a/b", "ref: must be"],
  ["x".repeat(65), "ref: must be"],
  ["upload", 'ref: "upload" is reserved'],
  ["v1", "is reserved"],
  ["42", "is a number"],
  ["3f0a2c1e-0000-4000-8000-000000000000", "is a UUID"],
])("%s is not a ref", (ref, message) => {
  expect(() => checkRef(ref)).toThrow(message);
});

test("the first version is 1.0.0 whatever the bump, later ones raise the highest", () => {
  expect(nextVersionNumber([], "patch")).toBe("1.0.0");
  expect(nextVersionNumber(["1.9.0", "1.10.0", "1.2.5"], "minor")).toBe("1.11.0");
  expect(nextVersionNumber(["1.10.3"], "patch")).toBe("1.10.4");
  expect(nextVersionNumber(["1.10.3"], "major")).toBe("2.0.0");
});
