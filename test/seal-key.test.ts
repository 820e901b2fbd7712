import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadSealKeys, readGivenKeys, rotateSealKey } from "../src/seal-key.ts";
import { type DataDir, makeDataDir } from "./support/data-dir.ts";

let dir: DataDir;
beforeEach(async () => {
  dir = await makeDataDir();
});
afterEach(() => dir.remove());

test("the first start makes a key that its user alone can read, later ones read it", async () => {
  const [key, ...others] = await loadSealKeys(dir.path, null);
  expect([key.length, others]).toEqual([32, []]);
  expect((await stat(join(dir.path, "secrets.key"))).mode & 0o777).toBe(0o600);
  expect(await loadSealKeys(dir.path, null)).toEqual([key]);
});

test("a file that holds no key is refused and left alone", async () => {
  const file = join(dir.path, "secrets.key");
  await writeFile(file, "half a ke");
  await expect(loadSealKeys(dir.path, null)).rejects.toMatchObject({
    code: "CONFLICT",
    message: expect.stringContaining("32 bytes"),
  });
  expect(await readFile(file, "utf8")).toBe("half a ke");
});

test("a rotation puts a new key first; a setting goes before the file and is checked as well", async () => {
  const [first] = await loadSealKeys(dir.path, null);
  expect(await rotateSealKey(dir.path)).toBe(2);
  const [second, former] = await loadSealKeys(dir.path, null);
  expect(former).toEqual(first);
  expect(second).not.toEqual(first);
  const given = Buffer.alloc(32, 7);
  const of = async (secretsKey: string | null, secretsKeyFile: string | null = null) =>
    loadSealKeys(dir.path, await readGivenKeys({ secretsKey, secretsKeyFile }));
  expect(await of(`${given.toString("hex")}, ${first.toString("base64")}`)).toEqual([given, first]);
  const file = join(dir.path, "keys");
  await writeFile(file, `${given.toString("base64")}\n${first.toString("hex")}\n`);
  expect(await of(null, file)).toEqual([given, first]);
  await expect(of("c2hvcnQ=")).rejects.toMatchObject({
    message: expect.stringContaining("WEFT_SECRETS_KEY: must hold keys of 32 bytes"),
  });
  await writeFile(file, "\n");
  for (const [key, path] of [
    [null, file],
    [null, join(dir.path, "none")],
    ["c2hvcnQ=", file],
  ] as const)
    await expect(of(key, path)).rejects.toMatchObject({ message: expect.stringMatching(/^WEFT_SECRETS_KEY_FILE: /) });
});
