import { afterAll, beforeAll, expect, test } from "vitest";
import { type BareRuntime, scriptOf, startBareRuntime } from "./bare-runtime.ts";

let runtime: BareRuntime;

beforeAll(async () => {
  runtime = await startBareRuntime();
});
afterAll(() => runtime.close());

test("ctx has its documented members and no op that only globals are made of", async () => {
  const script = scriptOf(`
    await new Promise((resolve) => setTimeout(resolve, 1));
    const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(1));
    return { members: Object.keys(ctx).sort(), digest: digest.byteLength };`);
  const outcome = await runtime.finish(await runtime.job(script));
  expect(outcome).toMatchObject({ status: "completed" });
  const { members, digest } = JSON.parse(outcome.status === "completed" ? (outcome.output ?? "") : "");
  expect(digest).toBe(32);
  expect(members).not.toContain("timer");
  expect(members).not.toContain("crypto");
});
