import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { buildTrusted, stopEsbuild, transformSource } from "../../runtime/bundle/esbuild.ts";
import { esbuildsOf } from "../support/host-processes.ts";

const PRELUDE = join(import.meta.dirname, "../../sandbox/prelude.ts");
const strip = () => transformSource("export const a: number = 1", { file: "a.ts", loader: "ts" });

// Processes are looked up in /proc.
test.skipIf(process.platform !== "linux")(
  "esbuild's process ends after the server's own builds, stays for a while after others, and is started again when needed",
  async () => {
    const built = await Promise.all([0, 1].map(() => buildTrusted(PRELUDE, { platform: "neutral" })));
    expect(built[0]).toBe(built[1]);
    await vi.waitFor(() => expect(esbuildsOf(process.pid)).toEqual([]), { timeout: 20_000 });
    expect(await strip()).toMatchObject({ ok: true });
    const [first] = esbuildsOf(process.pid);
    expect(first).toBeDefined();
    expect(await strip()).toMatchObject({ ok: true });
    expect(esbuildsOf(process.pid)).toEqual([first]);
    await stopEsbuild();
  },
);
