import Fastify from "fastify";
import { expect, test } from "vitest";
import type { App } from "../../src/http/dialects/dialect.ts";
import { installTurnEnd } from "../../src/http/end-of-turn.ts";

test("answers that are ready in one turn of the event loop are sent together, in order, after everything else of it", async () => {
  const app = Fastify() as unknown as App;
  const seen: string[] = [];
  installTurnEnd(app);
  app.addHook("onResponse", (request, _reply, done) => {
    seen.push(`answered ${request.url}`);
    done();
  });
  for (const path of ["/a", "/b"]) {
    app.get(path, async () => {
      seen.push(`ready ${path}`);
      return path;
    });
  }
  app.get("/fails", async () => {
    throw new Error("no");
  });
  const answers = await Promise.all(["/a", "/b", "/fails"].map((url) => app.inject(url)));
  expect(answers.map(({ statusCode, body }) => [statusCode, body.slice(0, 2)])).toEqual([
    [200, "/a"],
    [200, "/b"],
    [500, '{"'],
  ]);
  expect(seen).toEqual(["ready /a", "ready /b", "answered /a", "answered /b", "answered /fails"]);
  await app.close();
});
