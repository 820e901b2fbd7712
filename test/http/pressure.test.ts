import Fastify from "fastify";
import { expect, test } from "vitest";
import type { App } from "../../src/http/dialects/dialect.ts";
import { installPressure, watchEventLoop } from "../../src/http/pressure.ts";
import { installRules } from "../../src/http/route-rules.ts";
import { until } from "../support/until.ts";

test("while the thread is late, what would start something is refused and all else is answered", async () => {
  let delayMs = 0;
  let isClosed = false;
  const app = Fastify();
  const loop = {
    delayMs: () => delayMs,
    close: () => {
      isClosed = true;
    },
  };
  installRules(app as App);
  installPressure(app as App, loop, 100);
  for (const url of [
    "/v1/chat/completions",
    "/api/workflows/:id/execute/stream",
    "/v1/workflows/run",
    "/api/v1/runs/:id/cancel",
  ])
    app.post(url, async () => ({ done: true }));
  app.get("/api/v1/runs/:id", async () => ({ done: true }));
  const ask = async (method: "GET" | "POST", url: string) => (await app.inject({ method, url })).json() as object;
  const all = () =>
    Promise.all([
      ask("POST", "/v1/chat/completions"),
      ask("POST", "/api/workflows/1/execute/stream"),
      ask("POST", "/v1/workflows/run"),
      ask("POST", "/api/v1/runs/1/cancel"),
      ask("GET", "/api/v1/runs/1"),
    ]);
  const done = { done: true };
  expect(await all()).toEqual([done, done, done, done, done]);
  delayMs = 101;
  const late = expect.objectContaining({ message: expect.stringContaining("late by 101 ms, over 100") });
  expect(await all()).toEqual([late, late, late, done, done]);
  delayMs = 0;
  expect(await all()).toEqual([done, done, done, done, done]);
  await app.close();
  expect(isClosed).toBe(true);
});

test("a thread that is busy is seen to be late, and well again afterwards", async () => {
  const loop = watchEventLoop();
  const busyUntil = Date.now() + 3_000;
  const burn = () => {
    const end = Date.now() + 250;
    while (Date.now() < end);
    if (Date.now() < busyUntil) setImmediate(burn);
  };
  burn();
  await until(
    async () => loop.delayMs(),
    (delayMs) => delayMs > 50,
  );
  await until(
    async () => loop.delayMs(),
    (delayMs) => delayMs < 50,
  );
  loop.close();
});
