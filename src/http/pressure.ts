import { monitorEventLoopDelay } from "node:perf_hooks";
import { fail } from "../../runtime/index.ts";
import type { App } from "./dialects/dialect.ts";
import { rulesOfRequest } from "./route-rules.ts";

/** How often the delay is looked at, ms. */
const LOOK_MS = 500;
/** How exactly it is measured, ms. */
const RESOLUTION_MS = 20;
/** Seconds that a refused caller is told to wait. */
const RETRY_AFTER_S = 1;

/** How late timers of the server's thread fire, in milliseconds, over the last moment. */
export interface EventLoop {
  delayMs(): number;
  close(): void;
}

/** Watches the thread that it is called on. */
export function watchEventLoop(): EventLoop {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let delay = 0;
  const timer = setInterval(() => {
    // Nothing was measured in a moment in which the thread stood still: the next one says so.
    delay = histogram.count === 0 ? delay : Math.max(0, histogram.mean / 1e6 - RESOLUTION_MS);
    histogram.reset();
  }, LOOK_MS).unref();
  return {
    delayMs: () => delay,
    close() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

/** Refuses what would start something while the server's thread is late by more than `maxDelayMs`: before the key is looked at or the body read. */
export function installPressure(app: App, loop: EventLoop, maxDelayMs: number): void {
  app.addHook("onRequest", (request, _reply, done) => {
    const delayMs = loop.delayMs();
    // What looks, follows and stops is answered as long as it is possible.
    if (delayMs <= maxDelayMs || !rulesOfRequest(request).isStart) return done();
    const message = `The server is late by ${Math.round(delayMs)} ms, over ${maxDelayMs} (WEFT_MAX_DELAY_MS); try again shortly.`;
    return done(
      fail("OVERLOADED", { message, limit: "WEFT_MAX_DELAY_MS", value: maxDelayMs, retry_after: RETRY_AFTER_S }),
    );
  });
  app.addHook("onClose", (_app, done) => {
    loop.close();
    done();
  });
}
