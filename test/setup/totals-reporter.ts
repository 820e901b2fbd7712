import type { Reporter, SerializedError, TestModule } from "vitest/node";

/** Ends vitest's output with one plain line, `N passed, N failed[, N skipped]`, which continuous integration reads. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<SerializedError>): void {
    process.stdout.write(`\n${toTotals(modules, unhandledErrors.length)}\n`);
  }
}

/** The closing line; a file or suite that could not be run and an error outside any test each count as one failure. */
export function toTotals(modules: ReadonlyArray<TestModule>, unhandledErrors: number): string {
  const counts = { passed: 0, failed: unhandledErrors, skipped: 0, pending: 0 };
  for (const module of modules) {
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    for (const test of module.children.allTests()) counts[test.result().state] += 1;
  }
  const skipped = counts.skipped + counts.pending;
  return `${counts.passed} passed, ${counts.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
