import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const DEVELOPMENT = "cdx:npm:package:development";
const run = promisify(execFile);

interface Bom {
  readonly bomFormat: string;
  readonly components: readonly {
    readonly purl: string;
    readonly properties: readonly { readonly name: string }[];
  }[];
}

type Versions = Readonly<Record<string, string>>;

const purlsOf = (versions: Versions) => Object.entries(versions).map(([name, version]) => `pkg:npm/${name}@${version}`);

test("npm run sbom lists every dependency at its locked version and marks what only development needs", async () => {
  const { stdout } = await run("npm", ["--silent", "run", "sbom"], { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  const { bomFormat, components } = JSON.parse(stdout) as Bom;
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly dependencies: Versions;
    readonly devDependencies: Versions;
  };
  expect(bomFormat).toBe("CycloneDX");
  const isForDevelopment = new Map(
    components.map(({ purl, properties }) => [
      decodeURIComponent(purl),
      properties.some(({ name }) => name === DEVELOPMENT),
    ]),
  );
  for (const purl of purlsOf(dependencies)) expect([purl, isForDevelopment.get(purl)]).toEqual([purl, false]);
  for (const purl of purlsOf(devDependencies)) expect([purl, isForDevelopment.get(purl)]).toEqual([purl, true]);
});
