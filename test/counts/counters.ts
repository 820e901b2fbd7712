import { serialize } from "node:v8";
import { MessagePort } from "node:worker_threads";
import { vi } from "vitest";
import { Database } from "../../src/store/sqlite/database.ts";
import { WriteAheadLog } from "../../src/store/sqlite/write-ahead-log.ts";

/** What the main thread did meanwhile. */
export interface Counts {
  /** Batches to worker threads, and the messages in them. */
  readonly sent: number;
  readonly sentMessages: number;
  readonly sentBytes: number;
  /** The same from worker threads; their reports of every second are left out. */
  readonly received: number;
  readonly receivedMessages: number;
  readonly receivedBytes: number;
  readonly commits: number;
  readonly flushes: number;
  readonly statements: number;
}

const ZERO = {
  ...{ sent: 0, sentMessages: 0, sentBytes: 0, received: 0, receivedMessages: 0, receivedBytes: 0 },
  ...{ commits: 0, flushes: 0, statements: 0 },
};

const isReport = (message: unknown) => (message as { readonly type?: unknown }).type === "facts";

/** Counts from now on, in this process; install it before the server starts. */
export function installCounters(): { during(work: () => Promise<unknown>): Promise<Counts> } {
  let counts = { ...ZERO };
  const { postMessage, on } = MessagePort.prototype;
  vi.spyOn(MessagePort.prototype, "postMessage").mockImplementation(function (
    this: MessagePort,
    ...sent: Parameters<MessagePort["postMessage"]>
  ) {
    const [messages] = sent as readonly unknown[];
    if (Array.isArray(messages)) {
      counts.sent++;
      counts.sentMessages += messages.length;
      counts.sentBytes += serialize(messages).length;
    }
    postMessage.apply(this, sent);
  });
  vi.spyOn(MessagePort.prototype, "on").mockImplementation(function (this: MessagePort, event: string, listener) {
    if (event !== "message") return on.call(this, event, listener);
    return on.call(this, event, (value: unknown) => {
      const messages = Array.isArray(value) ? value.filter((message) => !isReport(message)) : [];
      if (messages.length > 0) {
        counts.received++;
        counts.receivedMessages += messages.length;
        counts.receivedBytes += serialize(messages).length;
      }
      listener(value);
    });
  } as typeof on);
  const { run, insert } = Database.prototype;
  vi.spyOn(Database.prototype, "run").mockImplementation(function (this: Database, sql, ...values) {
    counts.statements++;
    if (sql === "COMMIT") counts.commits++;
    return run.call(this, sql, ...values);
  });
  vi.spyOn(Database.prototype, "insert").mockImplementation(function (this: Database, sql, ...values) {
    counts.statements++;
    return insert.call(this, sql, ...values);
  });
  const { flush } = WriteAheadLog.prototype;
  vi.spyOn(WriteAheadLog.prototype, "flush").mockImplementation(function (this: WriteAheadLog) {
    counts.flushes++;
    return flush.call(this);
  });
  return {
    async during(work) {
      counts = { ...ZERO };
      await work();
      return counts;
    },
  };
}
