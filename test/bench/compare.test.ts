import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareRows, readResults, toComparison } from "../../bench/compare.ts";
import { toRow } from "../../bench/row.ts";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";

let directory: DataDir;
beforeAll(async () => {
  directory = await makeDataDir();
});
afterAll(() => directory.remove());

const load = (ratio: number, perSecond: number) => toRow("frozen", { ratio, baseline: "naive-context", perSecond });
const start = (amount: number) => toRow("start", { amount, unit: "ms", goal: { figure: "amount", atMost: 1_500 } });

test("ratios to a baseline come first; more is better of rates, less of times; what noise does is neither", () => {
  const changes = compareRows([load(1, 4_000), start(800)], [load(1.5, 3_000), start(780), toRow("new", { p50Ms: 1 })]);
  expect(changes).toEqual([
    { name: "frozen", figure: "× naive-context", before: 1, after: 1.5, ratio: 1.5, verdict: "better" },
    { name: "frozen", figure: "per second", before: 4_000, after: 3_000, ratio: 0.75, verdict: "worse" },
    { name: "start", figure: "ms", before: 800, after: 780, ratio: 0.975, verdict: "" },
  ]);
  expect(compareRows([start(800)], [start(1_600)])).toMatchObject([{ ratio: 2, verdict: "worse" }]);
  expect(() => compareRows([start(1)], [load(1, 1)])).toThrow("no case in common");
});

test("other machines are named, and that their times say nothing", () => {
  const run = (cpu: string) => ({
    ...{ startedAt: "2026-11-27T00:00:00.000Z", before: { cpu, cores: 2, node: "v26.10.0" } },
    rows: [start(900)],
  });
  expect(toComparison(run("A"), run("A"))).not.toContain("different machines");
  const text = toComparison(run("A"), run("B"));
  expect(text).toContain("different machines");
  expect(text).toMatch(/^start +900 +900 +1 {2}ms$/m);
});

test("a file that is no result of the bench is refused by name", async () => {
  const file = join(directory.path, "results.json");
  await expect(readResults(file)).rejects.toThrow(`${file}: cannot be read (ENOENT)`);
  for (const [text, says] of [
    ["{", "is not JSON"],
    ["null", "has no results of the bench"],
    ['{"rows":[{}]}', "has no results of the bench"],
  ] as const) {
    await writeFile(file, text);
    await expect(readResults(file)).rejects.toThrow(`${file}: ${says}`);
  }
});
