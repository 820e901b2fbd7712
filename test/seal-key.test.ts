import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadSealKey } from "../src/seal-key.ts";
import { type DataDir, makeDataDir } from "./support/data-dir.ts";

let dir: DataDir;
beforeEach(async () => {
  dir = await makeDataDir();
});
afterEach(() => dir.remove());

test("the first start makes a key that its user alone can read, later ones read it", async () => {
  const key = await loadSealKey(dir.path);
  expect(key).toHaveLength(32);
  expect((await stat(join(dir.path, "secrets.key"))).mode & 0o777).toBe(0o600);
  expect(await loadSealKey(dir.path)).toEqual(key);
});

test("a file that holds no key is refused and left alone", async () => {
  const file = join(dir.path, "secrets.key");
  await writeFile(file, "half a ke");
  await expect(loadSealKey(dir.path)).rejects.toMatchObject({
    code: "CONFLICT",
    message: expect.stringContaining("32 bytes"),
  });
  expect(await readFile(file, "utf8")).toBe("half a ke");
});
