import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readResults } from "../../bench/earlier.ts";
import { toRow } from "../../bench/row.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";

let directory: DataDir;
let file = "";
beforeAll(async () => {
  directory = await makeDataDir();
  file = join(directory.path, "results.json");
});
afterAll(() => directory.remove());

const RUN = {
  ...{ startedAt: "2026-11-27T00:00:00.000Z", seconds: 3, quick: false, profile: false },
  before: { cpu: "A", cores: 2, node: "v26.10.0" },
};
const GOAL = { figure: "ratio", atLeast: 0.25 } as const;

test("results are read as they were written, and what an older run did not have yet is null", async () => {
  const row = toRow("cached", { ratio: 0.5, baseline: "fastify", goal: GOAL, at: { series: "growth", x: 1 } });
  const written = {
    ...RUN,
    rows: [
      { ...row, met: true },
      { name: "start", amount: 900, unit: "ms" },
    ],
  };
  await writeFile(file, JSON.stringify(written));
  const { startedAt, before, isRough, rows } = await readResults(file);
  expect({ startedAt, before, isRough }).toEqual({ startedAt: RUN.startedAt, before: RUN.before, isRough: false });
  expect(rows[0]).toMatchObject(row);
  expect(rows[1]).toEqual(toRow("start", { amount: 900, unit: "ms" }));
  for (const kind of ["quick", "profile"]) {
    await writeFile(file, JSON.stringify({ ...RUN, rows: [], [kind]: true }));
    expect(await readResults(file)).toMatchObject({ isRough: true });
  }
});

test("a file that is no result of the bench is refused by name", async () => {
  await expect(readResults(`${file}.none`)).rejects.toThrow(`${file}.none: cannot be read (ENOENT)`);
  await writeFile(file, "{");
  await expect(readResults(file)).rejects.toThrow(`${file}: is not JSON`);
  const wrong = [
    ...[null, [], {}, { ...RUN }, { rows: [] }, { ...RUN, rows: [{}] }, { ...RUN, startedAt: "today", rows: [] }],
    { ...RUN, before: { cpu: "A" }, rows: [] },
    ...[
      { ratio: "1" },
      { goal: {} },
      { goal: { figure: "warp", atMost: 1 } },
      { at: { series: "growth" } },
      { unit: 1 },
    ].map((fields) => ({ ...RUN, rows: [{ ...fields, name: "start" }] })),
  ];
  for (const content of wrong) {
    await writeFile(file, JSON.stringify(content));
    await expect(readResults(file)).rejects.toThrow(`${file}: has no results of the bench`);
  }
});
