import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { PROVIDED } from "../runtime/bundle/packages.ts";
import { CATALOGUE } from "../runtime/errors.ts";
import { findCycle, type Import, readImports, root, sourceFiles } from "./architecture/graph.ts";

/** Which file alone imports a package; a path that ends in "/" is a small folder. Adding a dependency starts here. */
const OWNERS: Readonly<Record<string, string>> = {
  "@fastify/ajv-compiler": "src/http/app.ts",
  "@fastify/cors": "src/http/app.ts",
  "ipaddr.js": "runtime/egress/address.ts",
  "@fastify/multipart": "src/http/app.ts",
  "@fastify/swagger": "src/http/reference-page.ts",
  "@fastify/swagger-ui": "src/http/reference-page.ts",
  "@modelcontextprotocol/sdk": "runtime/tools/mcp/",
  "@streamparser/json": "runtime/datastores/ingest/parsers/json/",
  acorn: "runtime/bundle/guard.ts",
  "acorn-walk": "runtime/bundle/guard.ts",
  ajv: "src/engine/schema.ts",
  commander: "src/cli/program.ts",
  "core-js-pure": "runtime/bundle/web/",
  croner: "src/engine/schedules/cron.ts",
  esbuild: "runtime/bundle/esbuild.ts",
  fastify: "src/http/app.ts",
  fflate: "runtime/bundle/web/",
  hyparquet: "runtime/datastores/ingest/parsers/parquet/",
  "isolated-vm": "runtime/host/isolate.ts",
  jsep: "src/graph/expressions.ts",
  "lru-cache": "src/cache/result-cache.ts",
  marked: "runtime/datastores/ingest/parsers/markdown.ts",
  papaparse: "runtime/datastores/ingest/parsers/csv.ts",
  picocolors: "src/cli/terminal.ts",
  piscina: "runtime/pool/pool.ts",
  "sqlite-vec": "runtime/datastores/vector-extension.ts",
  standardwebhooks: "src/engine/webhooks/signature.ts",
  undici: "runtime/egress/dispatcher.ts",
  "web-streams-polyfill": "runtime/bundle/web/",
  yaml: "src/graph/import/index.ts",
  "yocto-spinner": "src/cli/terminal.ts",
};

/** The one other file that may import a package: for its types, which the rest of the layer takes from there. */
const TYPES_AT: Readonly<Record<string, string>> = {
  fastify: "src/http/dialects/dialect.ts",
  "@fastify/ajv-compiler": "src/http/lazy-validators.ts",
  "@fastify/multipart": "src/http/dialects/dialect.ts",
};

/** Packages that no file imports, and what they are for. */
const NOT_IMPORTED: Readonly<Record<string, string>> = {
  "date-fns": "for scripts",
  "lodash-es": "for scripts",
  node: "runs the project",
  openai: "for scripts",
  zod: "for scripts",
};

/** What the files under a path may import of the project; the longest path that fits decides. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "sandbox/": ["sandbox/"],
  "runtime/": ["runtime/", "sandbox/wire.ts"],
  "src/setup/": ["src/setup/"],
  "src/setting.ts": ["runtime/index.ts"],
  "src/limit-sentences.ts": ["runtime/index.ts"],
  "src/access-settings.ts": ["src/setting.ts"],
  "src/server-settings.ts": ["src/setting.ts", "src/access-settings.ts"],
  "src/config.ts": ["src/setting.ts", "src/server-settings.ts", "src/limit-sentences.ts", "runtime/index.ts"],
  "src/settings-table.ts": ["src/config.ts", "src/setting.ts"],
  "src/store/": ["src/store/rows.ts", "src/store/ports/", "runtime/index.ts"],
  "src/store/sqlite/": ["src/store/sqlite/", "src/store/store.ts", "runtime/index.ts"],
  "src/store/disk/": ["src/store/disk/", "src/store/store.ts", "runtime/index.ts"],
  "src/cache/": ["src/cache/", "src/store/store.ts", "runtime/index.ts"],
  "src/recording/": ["src/recording/", "runtime/index.ts"],
  "src/backup/": [
    "src/backup/",
    "src/store/sqlite/migrations.ts",
    "src/store/disk/",
    "src/seal-key.ts",
    "runtime/index.ts",
  ],
  "src/engine/": [
    "src/engine/",
    "src/backup/hold-file.ts",
    "src/graph/",
    "src/cache/",
    "src/recording/",
    "src/store/store.ts",
    "runtime/index.ts",
  ],
  "src/http/": ["src/http/", "src/engine/", "src/graph/", "runtime/index.ts"],
  "src/examples/": ["src/examples/", "src/engine/", "runtime/index.ts"],
  "src/graph/": ["src/graph/", "runtime/index.ts"],
  "src/owner-key.ts": ["src/store/store.ts", "src/engine/", "runtime/index.ts"],
  "src/core.ts": ["src/engine/", "src/cache/", "src/store/", "src/config.ts", "src/seal-key.ts", "runtime/index.ts"],
  "src/seal-key.ts": ["runtime/index.ts"],
  "src/version.ts": [],
  "src/server.ts": [
    "src/version.ts",
    "src/core.ts",
    "src/http/",
    "src/engine/",
    "src/config.ts",
    "src/examples/",
    "src/owner-key.ts",
    "runtime/index.ts",
  ],
  "src/cli/weft.mjs": ["src/cli/", "runtime/compile-cache.mjs"],
  "src/testing/": ["src/testing/", "src/recording/", "src/cli/sources.ts", "runtime/index.ts"],
  "src/cli/": [
    "src/cli/",
    "src/graph/",
    "src/recording/",
    "src/testing/",
    "src/backup/",
    "src/seal-key.ts",
    "src/version.ts",
    "src/server.ts",
    "src/config.ts",
    "src/settings-table.ts",
    "runtime/index.ts",
  ],
};

const MAX_LINES = 300;
const VAGUE_NAME = /(^|-)(utils?|helpers?|common|manager|misc)(-|$)/;

let files: readonly string[] = [];
let imports: readonly Import[] = [];
let architecture = "";

beforeAll(async () => {
  files = await sourceFiles(["sandbox", "runtime", "src"]);
  imports = await readImports(files);
  architecture = await readFile(join(root, "ARCHITECTURE.md"), "utf8");
});

const covers = (path: string, file: string) => (path.endsWith("/") ? file.startsWith(path) : file === path);
const arrow = ({ from, to }: Import) => `${from} → ${to}`;

/** Rows of the one Markdown table under a heading of ARCHITECTURE.md, as cells without backticks. */
function tableUnder(heading: string): readonly (readonly string[])[] {
  const [, section = ""] = architecture.split(`\n## ${heading}\n`);
  const rows = section
    .split("\n## ", 1)
    .join("")
    .split("\n")
    .filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

describe("layers", () => {
  test("every file belongs to a layer", () => {
    const paths = Object.keys(MAY_IMPORT);
    expect(files.filter((file) => !paths.some((path) => covers(path, file)))).toEqual([]);
  });

  test("a file imports only what its layer may", () => {
    const allowed = ({ from, to }: Import) => {
      const layer = Object.keys(MAY_IMPORT)
        .filter((path) => covers(path, from))
        .reduce((longest, path) => (path.length > longest.length ? path : longest), "");
      return (MAY_IMPORT[layer] ?? []).some((path) => covers(path, to));
    };
    expect(imports.filter((entry) => entry.kind === "file" && !allowed(entry)).map(arrow)).toEqual([]);
  });

  test("guest code imports neither packages nor Node", () => {
    expect(imports.filter(({ from, kind }) => from.startsWith("sandbox/") && kind !== "file").map(arrow)).toEqual([]);
  });

  test("no import cycle, types included", () => {
    expect(findCycle(imports)).toBeNull();
  });
});

describe("dependencies", () => {
  test("each package is imported by its owner alone", () => {
    const owns = ({ from, to }: Import) => covers(OWNERS[to] ?? "", from) || TYPES_AT[to] === from;
    const foreign = imports.filter((entry) => entry.kind === "package" && !owns(entry));
    expect(foreign.map(arrow)).toEqual([]);
  });

  test("each owner imports its package", () => {
    const used = (name: string, owner: string) => imports.some(({ from, to }) => to === name && covers(owner, from));
    expect(Object.entries(OWNERS).filter(([name, owner]) => !used(name, owner))).toEqual([]);
  });

  test("package.json names exactly the owned packages and those that nobody imports, each with an exact version", () => {
    const names = [...Object.keys(OWNERS), ...Object.keys(NOT_IMPORTED)].toSorted();
    expect(Object.keys(packageJson.dependencies).toSorted()).toEqual(names);
    const versions = Object.values({ ...packageJson.dependencies, ...packageJson.devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test("the packages for scripts are those that the bundler provides", () => {
    const forScripts = Object.keys(NOT_IMPORTED).filter((name) => NOT_IMPORTED[name] === "for scripts");
    expect(forScripts.toSorted()).toEqual(Object.keys(PROVIDED).toSorted());
  });

  test("ARCHITECTURE.md lists the same packages, versions and owners", () => {
    const documented = tableUnder("Dependencies").map(([name, version, , , , owner]) => [name, version, owner]);
    const actual = Object.entries(packageJson.dependencies).map(([name, version]) => [
      name,
      version,
      OWNERS[name] ?? NOT_IMPORTED[name],
    ]);
    expect(documented.toSorted()).toEqual(actual.toSorted());
  });
});

describe("files", () => {
  test(`no file is longer than ${MAX_LINES} lines`, async () => {
    const lengths = await Promise.all(
      files.map(async (file) => ({
        file,
        lines: (await readFile(join(root, file), "utf8")).trimEnd().split("\n").length,
      })),
    );
    expect(lengths.filter(({ lines }) => lines > MAX_LINES)).toEqual([]);
  });

  test("no name says nothing", () => {
    const parts = (file: string) => file.split("/").map((part) => basename(part).replace(/\.\w+$/, ""));
    expect(files.filter((file) => parts(file).some((part) => VAGUE_NAME.test(part)))).toEqual([]);
  });

  test("only the listed worker entries have a default export", async () => {
    const texts = await Promise.all(
      files.map(async (file) => ({ file, text: await readFile(join(root, file), "utf8") })),
    );
    const exporting = texts.filter(({ text }) => /^export default\b|^export \{[^}]*\bas default\b/m.test(text));
    expect(exporting.map(({ file }) => file)).toEqual([]);
  });
});

test("ARCHITECTURE.md lists every error of the catalogue with its status, and no other", () => {
  const documented = tableUnder("Errors").map(([code, status]) => [code, status]);
  expect(documented).toEqual(Object.entries(CATALOGUE).map(([code, { status }]) => [code, String(status)]));
});
