import type { App } from "./dialects/dialect.ts";

/** Calls back at the end of the event loop's turn, in order, all that were asked for in it. */
function createTurnEnd(): (callback: () => void) => void {
  let waiting: (() => void)[] = [];
  const end = () => {
    const callbacks = waiting;
    waiting = [];
    for (const callback of callbacks) callback();
  };
  return (callback) => {
    if (waiting.push(callback) === 1) setImmediate(end);
  };
}

/**
 * Sends the answers of a turn of the event loop together, when it has read all that was there to be read. Waking a reader
 * costs more than making most answers, and the first answer wakes whoever reads the others as well.
 */
export function installTurnEnd(app: App): void {
  const atEnd = createTurnEnd();
  app.addHook("onSend", (_request, _reply, payload, done) => atEnd(() => done(null, payload)));
}
