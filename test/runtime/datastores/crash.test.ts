import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { upsertRecords } from "../../../runtime/datastores/changes.ts";
import { createWriter } from "../../../runtime/datastores/writer.ts";
import { DEFAULT_LIMITS } from "../../../runtime/limits.ts";
import { until } from "../../support/until.ts";
import { hitsOf, newFile, readFile, schemaOf, whenOver, writeFile } from "./fixture.ts";

const schema = schemaOf(
  { id: "text", text: "text", n: "integer" },
  { idField: "id", textFields: ["text"], filters: ["n"] },
);
const record = (id: string, text: string) => ({ data: { id, text, n: 1 } });

/** Runs a program beside the code of datastores; it says when it is about to begin, and is killed at the end. */
async function start(program: string): Promise<ChildProcess> {
  const cwd = join(import.meta.dirname, "../../../runtime/datastores");
  const head = `
    import { upsertRecords } from "./changes.ts";
    import { createWriter } from "./writer.ts";
    const limits = ${JSON.stringify(DEFAULT_LIMITS)};
    const many = (from) => Array.from({ length: 2_000 }, (_, at) => ({ data: { id: "x" + (from + at), text: "lost words", n: 1 } }));
    await new Promise((resolve) => process.stdout.write("ready", resolve));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", head + program], {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
  });
  whenOver(() => child.kill("SIGKILL"));
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("a kill in the middle of a change leaves the revisions as they were", { timeout: 120_000 }, async () => {
  const file = await writeFile(schema, [record("a", "kept words"), record("x1", "kept too")]);
  const reader = readFile(file);
  for (let round = 0; round < 8; round++) {
    const child = await start(`
      for (let revision = 2; ; revision++) upsertRecords({ file: ${JSON.stringify(file)}, revision }, many(revision), limits);`);
    await pause(10 + 25 * round);
    await kill(child);
    expect(reader.count(1)).toBe(2);
    expect(hitsOf(reader.search(1, { query: "words" })).map(({ id }) => id)).toEqual(["a"]);
  }
  upsertRecords({ file, revision: 2 }, [record("b", "new words")], DEFAULT_LIMITS);
  const after = readFile(file);
  expect(
    hitsOf(after.search(2, { query: "words" }))
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(["a", "b"]);
  expect(after.describe(2)).toMatchObject({ rows: 3, deadRows: 0 });
  const db = new DatabaseSync(file);
  expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  db.exec("INSERT INTO words(words, rank) VALUES('integrity-check', 1)");
  db.close();
});

test("a kill in the middle of an import leaves no file, and the next one begins anew", {
  timeout: 120_000,
}, async () => {
  const file = await newFile();
  const child = await start(`
    const writer = createWriter({ file: ${JSON.stringify(file)}, schema: ${JSON.stringify(schema)}, revision: 1, limits });
    for (let from = 0; ; from += 2_000) writer.add(many(from));`);
  await until(() => existsSync(`${file}.part`));
  await pause(100);
  await kill(child);
  expect(existsSync(file)).toBe(false);
  const writer = createWriter({ file, schema, revision: 1, limits: DEFAULT_LIMITS });
  writer.add([record("a", "words")]);
  writer.finish();
  expect(readFile(file).count(1)).toBe(1);
  expect((await readdir(dirname(file))).filter((name) => name.includes("part"))).toEqual([]);
});
