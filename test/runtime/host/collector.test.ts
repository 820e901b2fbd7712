import { afterAll, beforeAll, expect, test } from "vitest";
import { type GuestHost, startGuestHost } from "../../support/guest.ts";

const MIB = 1024 * 1024;
const SCRIPTS = 40;

let host: GuestHost;
beforeAll(async () => {
  host = await startGuestHost();
});
afterAll(() => host.close());

async function callAll(label: string): Promise<void> {
  for (let i = 0; i < SCRIPTS; i++) {
    const run = await host.run("return ctx.input", { key: `${label}-${i}`, input: i });
    expect(run.output).toBe(i);
  }
}

/** Resolves once the process has stopped getting smaller. */
async function settled(): Promise<number> {
  for (let before = Infinity; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const bytes = host.process.residentBytes;
    if (bytes > before - MIB) return bytes;
    before = bytes;
  }
}

test("a script that nobody calls for a while keeps little more than its realm, and works as before", async () => {
  await callAll("first");
  const before = await settled();
  await callAll("second");
  const each = ((await settled()) - before) / SCRIPTS;
  // Uncollected it is about 2.8 MiB, collected 1.6.
  expect(each).toBeLessThan(2.2 * MIB);
  await callAll("second");
});
