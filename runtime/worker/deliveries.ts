import type { JournalRecord } from "../execution.ts";
import { keptOf } from "./remade.ts";

/** What the delivery queue needs from its execution. */
export interface DeliveryPort {
  /** Makes records durable (`durable`) or hands them over to be written soon. */
  commit(records: readonly JournalRecord[], durable: boolean): Promise<void>;
  /** Hands one record to the guest; called in `seq` order. */
  deliver(record: JournalRecord): void;
  /** The journal refused a write: the execution must stop here. */
  failed(error: unknown): void;
}

/** Completions of one execution on their way to the guest, in one recorded order. */
export interface Deliveries {
  /** Adds a live completion. `outside`: it reaches the guest only after it (and all before it) is durable. `args`: JSON text of its arguments, for a result that is made again rather than kept. */
  add(record: Omit<JournalRecord, "seq" | "at">, outside: boolean, args?: () => string): void;
  /** Hands what is not written yet to the journal without waiting. */
  flush(): void;
  /** Like flush, and resolves once everything so far is durable. */
  settle(): Promise<void>;
  /** True while a completion waits for its commit. */
  pending(): boolean;
  /** The guest's clock at the last delivery. */
  now(): number;
}

/** Records of pure ops are written with the next effect; this many wait at the most. */
const MAX_SOFT = 512;
/** And this many characters of their results. */
const MAX_SOFT_CHARS = 4 * 1024 * 1024;

/** A queue that starts after `replayed` records, with the guest's clock at `clock` (ms since the epoch); it goes on with `time`. */
export function createDeliveries(
  port: DeliveryPort,
  replayed: number,
  clock: number,
  time: () => number = Date.now,
): Deliveries {
  let seq = replayed;
  let at = clock;
  let soft: JournalRecord[] = [];
  let softChars = 0;
  const queue: { readonly record: JournalRecord; ready: boolean }[] = [];

  const drain = () => {
    while (queue[0]?.ready === true) {
      const item = queue.shift();
      if (item !== undefined) port.deliver(item.record);
    }
  };

  const take = () => {
    const records = soft;
    soft = [];
    softChars = 0;
    return records;
  };

  const flush = () => {
    if (soft.length > 0) port.commit(take(), false).catch(port.failed);
  };

  return {
    add(partial, outside, args) {
      at = Math.max(at, time());
      const record: JournalRecord = { ...partial, seq: seq++, at };
      const item = { record, ready: !outside };
      queue.push(item);
      const kept = args === undefined ? record : keptOf(record, args);
      soft.push(kept);
      softChars += kept.payload.length;
      if (outside) {
        port.commit(take(), true).then(() => {
          item.ready = true;
          drain();
        }, port.failed);
      } else {
        if (soft.length >= MAX_SOFT || softChars >= MAX_SOFT_CHARS) flush();
        drain();
      }
    },
    flush,
    settle: () => port.commit(take(), true),
    pending: () => queue.length > 0,
    now: () => at,
  };
}
