import { describe, expect, test } from "vitest";
import { parseArguments } from "../../bench/arguments.ts";

const KNOWN = ["cached", "frozen", "resume"];

describe("arguments of the bench", () => {
  test("without any, all cases run in full", () => {
    const flags = { help: false, list: false, quick: false, profile: false, report: false };
    expect(parseArguments([], KNOWN)).toEqual({ ...flags, compare: null, with: null, cases: [] });
  });

  test("named cases keep the order of the bench", () => {
    const args = parseArguments(["resume", "--quick", "cached"], KNOWN);
    expect(args).toMatchObject({ quick: true, cases: ["cached", "resume"] });
  });

  test("an unknown case is refused by name, with the known ones", () => {
    expect(() => parseArguments(["warp"], KNOWN)).toThrow("warp: there is no such case; known: cached, frozen, resume");
  });

  test("an unknown option is refused by name", () => {
    expect(() => parseArguments(["--quik"], KNOWN)).toThrow(/--quik.*known options: --help, --list, --quick/);
  });

  test("what to compare with is a file, and two files are compared without a run", () => {
    expect(parseArguments(["--compare", "a.json", "cached"], KNOWN)).toMatchObject({ compare: "a.json", with: null });
    expect(parseArguments(["--compare=a.json", "--with=b.json"], KNOWN)).toMatchObject({ with: "b.json" });
    expect(() => parseArguments(["--compare"], KNOWN)).toThrow("--compare");
    expect(() => parseArguments(["--with", "b.json"], KNOWN)).toThrow("--with: needs --compare");
    const twice = ["--compare", "a.json", "--compare", "b.json"];
    expect(() => parseArguments(twice, KNOWN)).toThrow("--compare: given twice");
  });

  test("what measures nothing takes nothing that is for a run", () => {
    expect(parseArguments(["--report"], KNOWN)).toMatchObject({ report: true });
    for (const extra of ["cached", "--quick", "--report"])
      expect(() => parseArguments(["--compare=a.json", "--with=b.json", extra], KNOWN)).toThrow("--with: measures");
    for (const extra of ["cached", "--quick", "--compare=a.json"])
      expect(() => parseArguments(["--report", extra], KNOWN)).toThrow("--report: measures nothing");
  });
});
