import { POST, type StartFacts } from "../../sandbox/wire.ts";
import { createIsolate, type Delivery, type OnPost, type RealmOptions } from "./isolate.ts";

/** What nearly every script does: it makes a call, gets its result and returns something. */
const SCRIPT = {
  name: "weft:rehearsal",
  text: `(function(){"use strict";async function execute(ctx){await ctx.sleep(1);return{input:ctx.input}}return{execute}})`,
};
const MEMORY_MB = 32;
const TURN_MS = 1_000;
const MANY = 1_000;

const FACTS: StartFacts = {
  key: "",
  bundleHash: "",
  isolation: "isolate",
  mode: "execute",
  seed: "0".repeat(64),
  now: 0,
  deadlineAt: null,
  memoryMb: MEMORY_MB,
  cpuMs: TURN_MS,
  turnMs: TURN_MS,
  limits: {
    maxOutputBytes: MANY,
    maxArgBytes: MANY,
    maxChunkBytes: MANY,
    maxChunks: MANY,
    maxChunkTotalBytes: MANY,
    maxLogLines: MANY,
    maxLogLineBytes: MANY,
    maxConcurrentOps: MANY,
    maxTools: MANY,
    maxToolCalls: MANY,
    maxToolTextBytes: MANY,
  },
};
const DATA = `{"input":{},"messages":[],"params":{},"env":{},"metadata":{},"session_id":"","request_id":"","workflow_info":{},"accessories":[]}`;

/**
 * Runs a script in an isolate of its own, so that the prelude's kept code has ready what nearly every run needs and
 * nothing else: all later isolates take it over, and what was compiled in vain would cost each of them. Resolves to
 * false, and keeps nothing, when the script did not get to its end.
 */
export async function rehearse(options: Pick<RealmOptions, "prelude" | "manifest">): Promise<boolean> {
  const box = createIsolate(MEMORY_MB, () => undefined);
  let isDone = false;
  try {
    const onPost: OnPost = (kind) => {
      isDone ||= kind === POST.done;
    };
    const realm = box.realmNow({ ...options, onPost });
    const bundle = realm.loadNow(SCRIPT);
    const delivery: Omit<Delivery, "kind" | "text"> = { run: 1, n: 0, now: 0, data: DATA, secrets: "{}", bundle };
    await realm.turn({ ...delivery, kind: "start", text: JSON.stringify(FACTS) }, TURN_MS);
    await realm.turn({ ...delivery, kind: "result", text: "null", bundle: null }, TURN_MS);
    // What a turn posts is here before its end is.
    if (isDone) box.keepCode(options.prelude);
    return isDone;
  } finally {
    box.dispose();
  }
}
