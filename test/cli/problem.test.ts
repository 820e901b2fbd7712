import { expect, test } from "vitest";
import { placeOf, problemLines, toProblems } from "../../src/cli/problem.ts";
import { createTerminal } from "../../src/cli/terminal.ts";
import { captureIo } from "./capture.ts";

const terminal = createTerminal(captureIo().io, false);

test("a problem is shown with its place, its source line and a caret under the column", () => {
  const [problem] = toProblems([
    { file: "main.ts", line: 12, column: 8, lineText: 'import "node:fs";', message: "main.ts:12:9: not available" },
  ]);
  expect(problem && problemLines(problem, terminal)).toEqual([
    "main.ts:12:9: not available",
    ' 12 | import "node:fs";',
    "    |         ^",
  ]);
});

test("tabs before the caret stay tabs, so that it stands under the column", () => {
  const [problem] = toProblems({ problems: [{ file: "a.ts", line: 1, column: 2, lineText: "\t\tx", text: "bad" }] });
  expect(problem && problemLines(problem, terminal)[2]).toBe("   | \t\t^");
});

test("a problem without a place names the script", () => {
  const [problem] = toProblems([{ message: "script: exactly one exported execute(ctx) is required, found 0" }]);
  expect(problem && placeOf(problem)).toBe("script");
});

test("anything that is not a list of problems has none", () => {
  expect(toProblems(null)).toEqual([]);
  expect(toProblems({ stack: "…" })).toEqual([]);
  expect(toProblems({ problems: [{ path: "/amount", message: "must be number" }] })).toEqual([]);
});
