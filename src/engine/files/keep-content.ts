import type { ContentStore, Received, Store } from "../../store/store.ts";
import type { Turns } from "../turns.ts";

/** What files stand on: rows, bytes, and turns by hash, so that nobody removes a content that another one is about to use. */
export interface FileParts {
  readonly store: Store;
  readonly contents: ContentStore;
  readonly inTurn: Turns;
}

/**
 * Keeps received bytes and then lets `take` say who uses them. The content is noted as loose before: whatever ends the
 * server in between, or makes `take` refuse, the collector finds it.
 */
export async function keepContent<T>(
  received: Received,
  { store, contents, inTurn }: FileParts,
  take: () => Promise<T>,
): Promise<T> {
  return inTurn(received.hash, async () => {
    try {
      await store.noteLoose({ hash: received.hash });
      await contents.keep(received);
    } catch (error) {
      await contents.discard(received);
      throw error;
    }
    return take();
  });
}
