import { afterAll, beforeAll, expect, test } from "vitest";
import { createRuntime } from "../../runtime/create-runtime.ts";
import { createInspectedBundles } from "../../runtime/inspected-bundles.ts";
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
    datastores: null,
    hostWall: "none",
    warm: ["fast"],
    settle: () => undefined,
    loadBundle: () => Promise.resolve(null),
  });
  await runtime.ready();
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

test("the code of an inspected script is forgotten with its last inspection", async () => {
  const bundles = createInspectedBundles();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const bundle = { hash: "h", code: "code" };
  const both = [bundles.during(bundle, () => first.promise), bundles.during(bundle, () => second.promise)];
  first.reject(new Error("broken"));
  await expect(both[0]).rejects.toThrow("broken");
  expect(bundles.codeOf("h")).toBe("code");
  second.resolve();
  await both[1];
  expect(bundles.codeOf("h")).toBeUndefined();
});
