import { afterAll, beforeAll, expect, test } from "vitest";
import { createRuntime } from "../../runtime/create-runtime.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { parseModels } from "../../runtime/models/config.ts";
import type { Runtime } from "../../runtime/runtime.ts";

let runtime: Runtime;

beforeAll(async () => {
  runtime = await createRuntime({
    limits: DEFAULT_LIMITS,
    workers: 1,
    models: parseModels({ file: null, env: {} }),
    allowPrivate: [],
    warm: ["fast"],
    loadBundle: () => Promise.resolve(null),
  });
});

afterAll(() => runtime.close());

const SCRIPT = `export const config = { name: "twice" };
export const execute = () => 1;`;

test("the same script can be inspected twice at once", async () => {
  const bundle = await runtime.bundle({ files: [{ path: "main.ts", text: SCRIPT }] });
  // The second needs a host that starts first: it asks for the code when the first inspection is long over.
  const both = await Promise.all([
    runtime.inspect({ bundle, accountId: "account", profile: "fast" }),
    runtime.inspect({ bundle, accountId: "account", profile: "hardened" }),
  ]);
  expect(both.map(({ config }) => config)).toEqual([{ name: "twice" }, { name: "twice" }]);
});

test("the code of an inspected script is forgotten afterwards", async () => {
  const bundle = await runtime.bundle({ files: [{ path: "main.ts", text: `${SCRIPT}\nvoid "gone";` }] });
  await runtime.inspect({ bundle, accountId: "account", profile: "fast" });
  await expect(
    runtime.inspect({ bundle: { ...bundle, code: "(" }, accountId: "account", profile: "hardened" }),
  ).rejects.toMatchObject({ code: "BUNDLE_FAILED" });
});
