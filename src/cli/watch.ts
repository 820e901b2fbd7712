import { watch } from "node:fs";
import { basename, dirname } from "node:path";

const SETTLE_MS = 80;

/**
 * Resolves when one of `files` changed and then stayed quiet for a moment, or when `signal` aborts. Directories are
 * watched, not files, because editors replace a file instead of writing into it.
 */
export function untilChanged(files: readonly string[], signal: AbortSignal): Promise<void> {
  const names = new Map<string, Set<string>>();
  for (const file of files) names.set(dirname(file), (names.get(dirname(file)) ?? new Set()).add(basename(file)));
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | null = null;
    const watchers = [...names].map(([directory, wanted]) =>
      watch(directory, (_event, name) => {
        if (name === null || !wanted.has(name)) return;
        if (timer !== null) clearTimeout(timer);
        timer = setTimeout(finish, SETTLE_MS);
      }),
    );
    function finish(): void {
      if (timer !== null) clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      for (const watcher of watchers) watcher.close();
      resolve();
    }
    for (const watcher of watchers) watcher.on("error", reject);
    signal.addEventListener("abort", finish);
    if (signal.aborted) finish();
  });
}
