import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { untilChanged } from "../../src/cli/watch.ts";

let directory = "";
let ending = new AbortController();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "weft-watch-"));
  ending = new AbortController();
  writeFileSync(join(directory, "main.ts"), "1");
});
afterEach(() => {
  ending.abort();
  rmSync(directory, { recursive: true, force: true });
});

test("a write is seen", async () => {
  const changed = untilChanged([join(directory, "main.ts")], ending.signal);
  writeFileSync(join(directory, "main.ts"), "2");
  await changed;
});

test("a file replaced by an editor is seen", async () => {
  const changed = untilChanged([join(directory, "main.ts")], ending.signal);
  writeFileSync(join(directory, "main.ts~"), "2");
  renameSync(join(directory, "main.ts~"), join(directory, "main.ts"));
  await changed;
});

test("other files of the directory are not", async () => {
  let seen = false;
  const changed = untilChanged([join(directory, "main.ts")], ending.signal).then(() => {
    seen = !ending.signal.aborted;
  });
  const other = untilChanged([join(directory, "other.ts")], ending.signal);
  writeFileSync(join(directory, "other.ts"), "2");
  await other;
  ending.abort();
  await changed;
  expect(seen).toBe(false);
});

test("an abort ends the watching", async () => {
  const changed = untilChanged([join(directory, "main.ts")], ending.signal);
  ending.abort();
  await changed;
});
