import { describe, expect, test } from "vitest";
import { parseArguments } from "../../bench/arguments.ts";

const KNOWN = ["cached", "frozen", "resume"];

describe("arguments of the bench", () => {
  test("without any, all cases run in full", () => {
    expect(parseArguments([], KNOWN)).toEqual({ help: false, list: false, quick: false, profile: false, cases: [] });
  });

  test("named cases keep the order of the bench", () => {
    const args = parseArguments(["resume", "--quick", "cached"], KNOWN);
    expect(args).toMatchObject({ quick: true, cases: ["cached", "resume"] });
  });

  test("an unknown case is refused by name, with the known ones", () => {
    expect(() => parseArguments(["warp"], KNOWN)).toThrow("warp: there is no such case; known: cached, frozen, resume");
  });

  test("an unknown option is refused by name", () => {
    expect(() => parseArguments(["--quik"], KNOWN)).toThrow("--quik: there is no such option");
  });
});
