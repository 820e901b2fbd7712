/** Runs work of the same key one after the other, in the order of the calls. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Makes turns; keys nobody waits for are forgotten. */
export function createTurns(): Turns {
  const turns = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = turns.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    turns.set(key, mine);
    try {
      return await mine;
    } finally {
      if (turns.get(key) === mine) turns.delete(key);
    }
  };
}
