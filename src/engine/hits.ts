import type { CachedResult, CacheHit, Store } from "../store/store.ts";
import type { Invocation } from "./engine.ts";
import type { Call } from "./live-run.ts";
import { NO_USAGE, toCompleted } from "./result.ts";

/** Rows of executions that the result cache answered, written many at a time: such an answer does not wait for the disk. */
export interface Hits {
  add(hit: CacheHit): void;
  /** Writes a row along with those that wait; resolves when it is durable, rejects when the disk refuses it. */
  write(hit: CacheHit): Promise<void>;
  /** Writes what waits, so that readers of the store see it at once; resolves when it is durable. A failure is reported. */
  flush(): Promise<void>;
}

/** Longest time that a row waits, ms. */
const SWEEP_MS = 20;
/** Rows written at a time: what one write may hold the event loop up for. */
const MAX_ROWS = 128;

/** Makes the gatherer of one engine; `report` gets failures of the disk. */
export function createHits(store: Pick<Store, "recordHits">, report: (error: unknown) => void): Hits {
  let waiting: CacheHit[] = [];
  let timer: NodeJS.Timeout | null = null;

  const writeAll = async () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (waiting.length === 0) return;
    const hits = waiting;
    waiting = [];
    await store.recordHits({ hits });
  };
  const flush = () => writeAll().catch(report);

  return {
    add(hit) {
      waiting.push(hit);
      if (waiting.length >= MAX_ROWS) void flush();
      else timer ??= setTimeout(flush, SWEEP_MS);
    },
    write(hit) {
      waiting.push(hit);
      return writeAll();
    },
    flush,
  };
}

function toHitInvocation({ execution, workflow, plan, onDisconnect }: Call, { output, chunks }: CacheHit): Invocation {
  const streamedText = chunks.some((chunk) => chunk.text);
  return {
    executionId: execution.id,
    workflow,
    version: plan.version,
    sessionId: execution.sessionId,
    requestId: execution.requestId,
    createdAt: execution.createdAt,
    mode: execution.mode,
    cache: "hit",
    debounced: false,
    onDisconnect,
    result: Promise.resolve(toCompleted(output ?? "null", NO_USAGE, streamedText)),
    subscribe(listener, from = 0) {
      const wanted = chunks.slice(from);
      if (wanted.length > 0) listener(wanted);
      return () => undefined;
    },
    cancel: () => Promise.resolve(),
  };
}

/** Answers a call from a cached result. It costs nothing and can be given again: only a background call, which is read back later, and one with an idempotency key wait for their rows. */
export async function answerHit(call: Call, cached: CachedResult, hits: Hits): Promise<Invocation> {
  const { execution } = call;
  const { executionId: resultOf, output, chunks } = cached;
  const hit: CacheHit = { execution, resultOf, output: output ?? "null", chunks, finishedAt: Date.now() };
  if (execution.mode === "background" || execution.idempotencyKey !== null) await hits.write(hit);
  else hits.add(hit);
  return toHitInvocation(call, hit);
}
