import { setImmediate as endOfTurn } from "node:timers/promises";
import Fastify, { type FastifyReply } from "fastify";
import { expect, test } from "vitest";
import type { App } from "../../src/http/dialects/dialect.ts";
import { installTurnEnd } from "../../src/http/end-of-turn.ts";

test("answers that are ready in one turn of the event loop are sent together, at its end", async () => {
  const app = Fastify() as unknown as App;
  installTurnEnd(app);
  const replies: FastifyReply[] = [];
  app.get("/:name", (_request, reply) => {
    replies.push(reply);
  });
  app.get("/fails", async () => {
    throw new Error("no");
  });
  const injected = ["/a", "/b"].map((url) => app.inject(url));
  await expect.poll(() => replies.length).toBe(2);
  await endOfTurn();
  const ended = () => replies.map(({ raw }) => raw.writableEnded);
  for (const [index, reply] of replies.entries()) {
    reply.send(String(index));
    await Promise.resolve();
    expect(ended()).toEqual([false, false]);
  }
  await endOfTurn();
  expect(ended()).toEqual([true, true]);
  expect((await Promise.all(injected)).map(({ body }) => body)).toEqual(["0", "1"]);
  expect((await app.inject("/fails")).statusCode).toBe(500);
  await app.close();
});
