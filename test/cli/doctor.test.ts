import { chmodSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DataDir, makeDataDir } from "../support/data-dir.ts";
import { startTestServer } from "../support/server.ts";
import { weft } from "./capture.ts";

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { readonly name: string; readonly state: string; readonly text: string }[];
}

let dir: DataDir;
beforeAll(async () => {
  dir = await makeDataDir();
});
afterAll(() => dir.remove());

async function examine(env: Readonly<Record<string, string>>): Promise<Report & { readonly code: number }> {
  const { code, out } = await weft(["doctor", "--json"], { env: { WEFT_DATA_DIR: dir.path, WEFT_PORT: "0", ...env } });
  return { ...(JSON.parse(out) as Report), code };
}

const stateOf = ({ findings }: Report, name: string) => findings.find((one) => one.name === name);

test("a good installation has nothing to mend", async () => {
  const report = await examine({});
  expect(report).toMatchObject({ code: 0, ok: true });
  expect(stateOf(report, "sandbox")).toMatchObject({ state: "ok", text: expect.stringContaining("fast host started") });
  const shown = await weft(["doctor"], { env: { WEFT_DATA_DIR: dir.path, WEFT_PORT: "0" } });
  expect(shown.out).toMatch(/^✓ settings/);
});

test("a running server is seen, and its database left alone", async () => {
  const server = await startTestServer();
  const { port } = new URL(server.url);
  const report = await examine({ WEFT_PORT: port, WEFT_DATA_DIR: server.dataDir });
  await server.close();
  expect(report).toMatchObject({ code: 0, ok: true });
  expect(stateOf(report, "port")?.text).toContain("a Weft server answers");
  expect(stateOf(report, "database")?.text).toContain("in use by a running server");
});

test("what is wrong is named with what to do, and the command fails", async () => {
  expect(await examine({ WEFT_COLOUR: "red" })).toMatchObject({
    code: 1,
    findings: [{ name: "settings", state: "problem", text: "WEFT_COLOUR: there is no such setting" }],
  });
  const broken = await makeDataDir();
  writeFileSync(join(broken.path, "weft.db"), "this is not a database".repeat(100));
  writeFileSync(join(broken.path, "secrets.key"), "short");
  chmodSync(broken.path, 0o755);
  const other = createServer((_request, response) => response.end("another program")).listen(0, "127.0.0.1");
  await new Promise((listening) => other.once("listening", listening));
  const { port } = other.address() as AddressInfo;
  other.removeAllListeners("request").on("request", (_request, response) => response.writeHead(404).end());
  const report = await examine({
    WEFT_DATA_DIR: broken.path,
    WEFT_PORT: String(port),
    WEFT_MODELS: join(broken.path, "missing.json"),
  });
  other.closeAllConnections();
  await new Promise((closed) => other.close(closed));
  await broken.remove();
  expect(report).toMatchObject({ code: 1, ok: false });
  for (const name of ["database", "seal key", "port", "models"])
    expect([name, stateOf(report, name)?.state]).toEqual([name, "problem"]);
  expect(stateOf(report, "data directory")).toMatchObject({
    state: "warning",
    text: expect.stringContaining("chmod 700"),
  });
});
