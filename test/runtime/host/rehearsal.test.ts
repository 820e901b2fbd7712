import { expect, test } from "vitest";
import { MANIFEST } from "../../../runtime/capabilities/index.ts";
import { hasRun, isCompiled } from "../../../runtime/host/isolate.ts";
import { rehearse } from "../../../runtime/host/rehearsal.ts";
import { buildPrelude } from "../../../runtime/worker/host-source.ts";

const manifest = JSON.stringify(MANIFEST);

test("the prelude's code is kept once a script has run to its end, a call included", async () => {
  const prelude = { name: "weft:prelude", text: await buildPrelude() };
  expect(isCompiled(prelude)).toBe(false);
  expect(await rehearse({ prelude, manifest })).toBe(true);
  expect(hasRun(prelude)).toBe(true);
});

test("nothing is kept when the script fails", async () => {
  const prelude = { name: "weft:without ops", text: await buildPrelude() };
  expect(await rehearse({ prelude, manifest: "null" })).toBe(false);
  expect(hasRun(prelude)).toBe(false);
});
