import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { makeDataDir } from "../support/data-dir.ts";
import { spawnTestServer, TEST_KEY } from "../support/server.ts";
import { until } from "../support/until.ts";

const SCRIPT = "export const execute = (ctx) => ctx.input;";
const RUNS = 40;

test("a server that is killed at any moment loses no callback of a call that it accepted", async () => {
  const told = new Set<string>();
  const receiver = createServer((request, response) => {
    let text = "";
    request.on("data", (piece) => {
      text += String(piece);
    });
    request.on("end", () => {
      told.add(JSON.parse(text).data.id);
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const webhook = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const { path, remove } = await makeDataDir();
  const headers = { authorization: `Bearer ${TEST_KEY}`, "content-type": "application/json" };
  const accepted: string[] = [];
  for (let round = 0; round < 3; round++) {
    const server = await spawnTestServer(path);
    const post = (to: string, body: unknown) =>
      fetch(`${server.url}${to}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (round === 0) await post("/api/v1/workflows/upload", { workflow_ref_name: "echo", script: SCRIPT });
    const calls = Array.from({ length: RUNS }, async (_, n) => {
      const answer = await post("/workflow/chat/completions", {
        model: "workflow:echo",
        input: { n, round },
        background: true,
        webhook_url: webhook,
      });
      if (answer.status === 202) accepted.push(String(((await answer.json()) as { id: string }).id));
    });
    const all = Promise.allSettled(calls);
    await until(async () => accepted.length > round * RUNS + RUNS / 4 || told.size > round * 10);
    await server.kill();
    await all;
  }
  const last = await spawnTestServer(path);
  // A delivery that was under way when its server died waits for its lease of 45 s.
  const untold = () => accepted.filter((id) => !told.has(id));
  await until(untold, ({ length }) => length === 0, 90_000);
  expect(accepted.length).toBeGreaterThan(RUNS / 4);
  await last.stop();
  receiver.closeAllConnections();
  receiver.close();
  await remove();
}, 240_000);
