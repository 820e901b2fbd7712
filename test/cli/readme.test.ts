import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/index.ts";
import { limitsParagraph, rarerParagraph, settingsTable } from "../../src/settings-table.ts";

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");

test("the README is at most 150 lines", () => {
  expect(readme.trimEnd().split("\n").length).toBeLessThanOrEqual(150);
});

test("its table of settings is the one that Weft obeys", () => {
  const table = readme.split("\n").filter((line) => line.startsWith("| setting ") || /^\| `[A-Z_]+`/.test(line));
  const expected = settingsTable()
    .split("\n")
    .filter((line) => !line.startsWith("|---"));
  expect(table).toEqual(expected);
});

test("its rarer settings and its limits are those that Weft obeys", () => {
  expect(readme.split("\n")).toContain(rarerParagraph());
  expect(readme.split("\n")).toContain(limitsParagraph());
});

test("it names every command", () => {
  for (const command of COMMANDS) expect(readme).toMatch(new RegExp(`\`${command.name}[ \`]`));
});
