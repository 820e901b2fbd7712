import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { call, type Send, sender, upload } from "../http/access/client.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";

let server: TestServer;
let send: Send;
/** The connection of the server's store: the only one that can say how large the file may be. */
let connection: DatabaseSync;

beforeAll(async () => {
  const exec = vi.spyOn(DatabaseSync.prototype, "exec");
  server = await startTestServer();
  const at = exec.mock.calls.findIndex(([sql]) => sql.includes("locking_mode = EXCLUSIVE"));
  connection = exec.mock.contexts[at] as DatabaseSync;
  exec.mockRestore();
  send = sender(server, server.apiKey);
  await upload(send, "echo", "export const execute = (ctx) => ctx.input;");
});
afterAll(() => server.close());

test("on a full disk new work is refused clearly, what can be read is answered, and it goes on by itself", async () => {
  const kept = await call(send, "echo", { input: { n: 1 } });
  expect(kept.status).toBe(200);
  const pages = Number(connection.prepare("PRAGMA page_count").get()?.["page_count"]);
  connection.exec(`PRAGMA max_page_count = ${pages}`);
  const big = { input: { text: "x".repeat(2_000_000) } };
  const over = await call(send, "echo", big);
  expect(over.status).toBe(500);
  expect(over.headers.get("x-should-retry")).toBe("false");
  expect(JSON.stringify(over.body)).toContain("could not be recorded: The disk is full");
  const refused = await until(
    () => call(send, "echo", big),
    ({ status }) => status === 429,
  );
  expect(JSON.stringify(refused.body)).toContain("The disk is full, so nothing could be stored.");
  expect(refused.headers.get("retry-after")).toBe("10");
  const background = await call(send, "echo", { ...big, background: true });
  expect(JSON.stringify(background.body)).toContain("The disk is full");
  expect(
    JSON.stringify((await upload(send, "late", `export const execute = () => "${"x".repeat(500_000)}";`)).body),
  ).toContain("The disk is full");
  expect((await send("GET", "/api/v1/runs")).status).toBe(200);
  expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  connection.exec("PRAGMA max_page_count = 1073741823");
  await until(
    () => call(send, "echo", big),
    ({ status }) => status === 200,
  );
  expect((await send("GET", "/readyz")).status).toBe(200);
});
