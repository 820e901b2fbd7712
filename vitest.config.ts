import { defineConfig } from "vitest/config";
import { PATIENCE_MS } from "./test/support/until.ts";

/** Forked processes, because tests load isolated-vm and start servers; two, because that is what a small machine has. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    // isolated-vm needs it in every process that makes isolates.
    execArgv: ["--no-node-snapshot"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: PATIENCE_MS } },
    reporters: ["default", "./test/setup/totals-reporter.ts"],
  },
});
