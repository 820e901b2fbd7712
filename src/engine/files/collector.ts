import type { PieceStore } from "../../store/store.ts";
import type { FileParts } from "./keep-content.ts";

/** Removes contents that nobody uses any more. */
export interface Collector {
  /** Clears what an earlier process left half done, then looks now and again. */
  start(): Promise<void>;
  /** Something was removed: looks soon. */
  wake(): void;
  /** Removes all that is loose now. */
  collect(): Promise<void>;
  close(): Promise<void>;
}

/** Time between two looks, ms. */
const LOOK_MS = 30_000;
const PAGE = 200;
/** How long an upload that never came is shown as failed, ms. */
const FAILED_MS = 86_400_000;

interface CollectorOptions extends FileParts {
  readonly pieces: Pick<PieceStore, "clear">;
  readonly report: (error: unknown) => void;
  /** True while a backup is taken: nothing is removed. */
  readonly isHeld: () => boolean;
}

/** Makes the collector. */
export function createCollector({ store, contents, inTurn, pieces, report, isHeld }: CollectorOptions): Collector {
  let isOpen = true;
  let isDue = false;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;

  const release = (hash: string) =>
    inTurn(hash, async () => {
      if (!(await store.isContentUsed({ hash }))) await contents.remove(hash);
      await store.forgetLoose({ hash });
    });

  const mayRemove = () => isOpen && !isHeld();

  const collect = async () => {
    while (isOpen && (await store.pruneUploads({ now: Date.now() - FAILED_MS, max: PAGE })) === PAGE);
    for (let found = [""]; mayRemove() && found.length > 0; ) {
      found = [...(await store.listLoose({ limit: PAGE }))];
      for (const hash of found) if (mayRemove()) await release(hash);
    }
  };

  const look = async (): Promise<void> => {
    isDue = true;
    running ??= (async () => {
      while (isOpen && isDue) {
        isDue = false;
        await collect().catch((error: unknown) => {
          if (isOpen) report(error);
        });
      }
      running = null;
    })();
    await running;
  };

  return {
    collect: look,
    wake: () => void look(),
    async start() {
      await contents.clearReceived();
      await pieces.clear();
      timer = setInterval(() => void look(), LOOK_MS).unref();
      void look();
    },
    async close() {
      isOpen = false;
      if (timer !== null) clearInterval(timer);
      await running;
    },
  };
}
