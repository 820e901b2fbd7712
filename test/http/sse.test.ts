import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openSse, type SseStream } from "../../src/http/sse.ts";

let server: Server;
let opened: PromiseWithResolvers<SseStream>;

beforeEach(async () => {
  opened = Promise.withResolvers();
  server = createServer((_request, response) => opened.resolve(openSse(response, { "x-extra": "1" })));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  vi.useRealTimers();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function connect(): Promise<{ readonly stream: SseStream; readonly answer: IncomingMessage }> {
  const sending = request({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  sending.on("error", () => undefined).end();
  const [answer] = (await once(sending, "response")) as [IncomingMessage];
  answer.setEncoding("utf8").on("error", () => undefined);
  return { stream: await opened.promise, answer };
}

async function readAll(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of answer) text += String(part);
  return text;
}

test("sends its headers and a comment at once, then the events in order", async () => {
  const { stream, answer } = await connect();
  expect(answer.headers).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-extra": "1",
  });
  for (let i = 0; i < 3; i++) stream.write(`data: ${i}\n\n`);
  stream.end();
  stream.write("data: late\n\n");
  expect(await readAll(answer)).toBe(": ok\n\ndata: 0\n\ndata: 1\n\ndata: 2\n\n");
});

test("a quiet stream beats every 15 seconds, and no longer when it is over", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { stream, answer } = await connect();
  vi.advanceTimersByTime(14_999);
  stream.write("data: 1\n\n");
  await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(vi.getTimerCount()).toBe(1);
  stream.end();
  expect(vi.getTimerCount()).toBe(0);
  expect(await readAll(answer)).toBe(": ok\n\ndata: 1\n\n: hb\n\n");
});

describe("a reader that does not read", () => {
  const event = `data: ${"x".repeat(100_000)}\n\n`;
  const fill = async (stream: SseStream) => {
    let count = 0;
    for (; stream.hasRoom(); count++) {
      stream.write(event);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return count;
  };

  test("leaves no room after a while, and room again once it reads", async () => {
    const { stream, answer } = await connect();
    answer.pause();
    const count = await fill(stream);
    let isRoom = false;
    const room = stream.room().then(() => {
      isRoom = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isRoom).toBe(false);
    const text = readAll(answer);
    await room;
    expect(stream.hasRoom()).toBe(true);
    stream.end();
    expect((await text).length).toBe(": ok\n\n".length + count * event.length);
  });

  test("and goes away: whoever waits for room is told, and whoever asked to be", async () => {
    const { stream, answer } = await connect();
    answer.pause();
    const gone = vi.fn();
    stream.onGone(gone);
    await fill(stream);
    const room = stream.room();
    answer.destroy();
    await room;
    expect(stream.isClosed()).toBe(true);
    await vi.waitFor(() => expect(gone).toHaveBeenCalledOnce());
  });
});
