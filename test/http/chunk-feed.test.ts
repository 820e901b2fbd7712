import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Chunk } from "../../runtime/index.ts";
import type { ExecutionResult } from "../../src/engine/engine.ts";
import { ChunkFeed } from "../../src/http/chunk-feed.ts";
import { openSse, type SseStream } from "../../src/http/sse.ts";

type Listener = (chunks: readonly Chunk[]) => void;

const SIZE = 100_000;
const chunkAt = (index: number): Chunk => ({ index, type: '"row"', content: `"${"x".repeat(SIZE)}"`, text: false });
const FAILED: ExecutionResult = { status: "failed", error: { code: "EXECUTION_FAILED", message: "m", details: {} } };

let server: Server;
let sse: SseStream;
let answer: IncomingMessage;
let chunks: Chunk[];
let listeners: Set<Listener>;
let reads: number;
let starts: number[];
let result: PromiseWithResolvers<ExecutionResult>;

/** An invocation as the engine makes them: all chunks so far, then each new batch. */
const emit = (count: number) => {
  const batch = Array.from({ length: count }, (_, i) => chunkAt(chunks.length + i));
  chunks.push(...batch);
  for (const listener of listeners) listener(batch);
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(async () => {
  chunks = [];
  listeners = new Set();
  reads = 0;
  starts = [];
  result = Promise.withResolvers();
  const opened = Promise.withResolvers<SseStream>();
  server = createServer((_request, response) => opened.resolve(openSse(response, {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sending = request({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  sending.on("error", () => undefined).end();
  [answer] = (await once(sending, "response")) as [IncomingMessage];
  answer.setEncoding("utf8").on("error", () => undefined);
  sse = await opened.promise;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function start(read?: () => Promise<readonly Chunk[]>): void {
  new ChunkFeed({
    sse,
    invocation: {
      result: result.promise,
      subscribe(listener, from = 0) {
        starts.push(from);
        if (chunks.length > from) listener(chunks.slice(from));
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    toEvents: ({ index, content }) => `${index} ${content.length}\n${content}\n`,
    toEnd: ({ status }) => `end ${status}\n`,
    async read(from, limit) {
      reads++;
      return read === undefined ? chunks.slice(from, from + limit) : read();
    },
  }).start();
}

const indexesIn = (text: string) => [...text.matchAll(/^(\d+) \d+$/gm)].map((match) => Number(match[1]));
async function readAll(): Promise<string> {
  let text = "";
  for await (const part of answer) text += String(part);
  return text;
}
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test("passes chunks on as they come, without asking the store, and ends with the result", async () => {
  emit(2);
  start();
  emit(3);
  await turn();
  emit(1);
  result.resolve(FAILED);
  const text = await readAll();
  expect(indexesIn(text)).toEqual(upTo(6));
  expect(text.endsWith("end failed\n")).toBe(true);
  expect(reads).toBe(0);
});

test("a reader that is behind costs no memory and misses nothing, while the run goes on and after it", async () => {
  start();
  answer.pause();
  for (let i = 0; i < 20; i++) {
    emit(10);
    await turn();
  }
  expect(sse.hasRoom()).toBe(false);
  expect(listeners.size).toBe(0);
  const text = readAll();
  await expect.poll(() => listeners.size).toBe(1);
  emit(1);
  result.resolve(FAILED);
  expect(indexesIn(await text)).toEqual(upTo(201));
  expect(reads).toBeGreaterThan(0);
  // It goes on where the pages ended: what was sent is not read again.
  expect(starts).toEqual([0, 200]);
});

test("a run that is over long before its reader has caught up still ends its stream", async () => {
  emit(100);
  start();
  result.resolve(FAILED);
  const text = await readAll();
  expect(indexesIn(text)).toEqual(upTo(100));
  expect(text.endsWith("end failed\n")).toBe(true);
});

test("chunks that cannot be read any more break the stream off instead of ending it well", async () => {
  emit(100);
  start(() => Promise.reject(new Error("gone")));
  await expect(readAll()).rejects.toThrow();
});

test("a reader that leaves is no longer told", async () => {
  start();
  emit(1);
  expect(listeners.size).toBe(1);
  answer.destroy();
  await expect.poll(() => listeners.size).toBe(0);
});
