import type { RunWatch } from "./engine.ts";
import type { Parts } from "./parts.ts";
import { resultOf } from "./result.ts";
import type { Execution } from "./types.ts";

/** Another look at a run that this process does not run, ms; what happens here is heard of at once. */
const LOOK_MS = 5_000;
const LIVE_LOOK_MS = 60_000;
const PAGE = 1_000;

/** Begins to watch a run that was found before. */
export function watchRun(execution: Execution, find: () => Promise<Execution>, parts: Parts): RunWatch {
  const { id: executionId } = execution;
  const { store, live, bells } = parts;
  const bell = bells.open(executionId);
  const isRunning = () => live.get(executionId)?.phase === "running";

  const wroteText = async (): Promise<boolean> => {
    for (let from = 0; ; from += PAGE) {
      const chunks = await store.readChunks({ executionId, from, limit: PAGE });
      if (chunks.some((chunk) => chunk.text)) return true;
      if (chunks.length < PAGE) return false;
    }
  };

  return {
    async chunks(from, limit) {
      const recent = live.get(executionId)?.log.recent(from, limit) ?? [];
      // A run that goes on after a restart has in memory only what it has sent again so far.
      return recent.length > 0 ? recent : store.readChunks({ executionId, from, limit });
    },
    run: find,
    async result() {
      if (isRunning()) return null;
      const found = await find();
      const result = resultOf(found, false);
      return result?.status === "completed" ? { ...result, streamedText: await wroteText() } : result;
    },
    changed: () => bell.rung(isRunning() ? LIVE_LOOK_MS : LOOK_MS),
    close: () => bell.close(),
  };
}
