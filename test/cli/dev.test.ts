import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";
import { within } from "../support/until.ts";
import { weft } from "./capture.ts";

let server: TestServer;
let cwd = "";

beforeAll(async () => {
  server = await startTestServer();
  cwd = mkdtempSync(join(tmpdir(), "weft-dev-"));
});
afterAll(async () => {
  await server.close();
  rmSync(cwd, { recursive: true, force: true });
});

const save = (name: string, text: string) => writeFileSync(join(cwd, name), text);

/** Waits until the output so far, after what was seen before, contains a text. */
function createReader() {
  let unread = "";
  let wake = (): void => undefined;
  return {
    onWrite(text: string) {
      unread += text;
      wake();
    },
    async until(wanted: string): Promise<string> {
      const written = async () => {
        while (!unread.includes(wanted))
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      };
      await within(written(), () => `${JSON.stringify(wanted)} among what was printed: ${JSON.stringify(unread)}`);
      const end = unread.indexOf(wanted) + wanted.length;
      const seen = unread.slice(0, end);
      unread = unread.slice(end);
      return seen;
    },
  };
}

test("a script runs again when it, an import or its input changes, also after an error", async () => {
  save("part.ts", `export const word = "one";`);
  save(
    "main.ts",
    `import { word } from "./part.ts";
export function execute(ctx) {
  ctx.emit("word", word);
  ctx.log("logged " + word);
  return ctx.input.n;
}`,
  );
  save("input.json", `{"n":1}`);
  const reader = createReader();
  const ending = new AbortController();
  const env = { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey };
  const options = { cwd, env, signal: ending.signal, onWrite: reader.onWrite };
  const ended = weft(["dev", "main.ts", "--input", "@input.json"], options);

  const first = await reader.until("Waiting for a change");
  expect(first).toContain("[word] one\n1\n");
  expect(first).toContain("logged one");

  save("part.ts", `export const word = "two";`);
  expect(await reader.until("Waiting for a change")).toContain("[word] two\n1\n");

  save("input.json", `{"n":2}`);
  expect(await reader.until("Waiting for a change")).toContain("[word] two\n2\n");

  save("part.ts", `export const word = ;`);
  expect(await reader.until("Waiting for a change")).toMatch(/✗ part\.ts:1:\d+: /);

  save("part.ts", `export const word = ((): string => { throw new Error("later"); })();`);
  expect(await reader.until("Waiting for a change")).toContain("later");

  save("part.ts", `export const word = "three";`);
  expect(await reader.until("Waiting for a change")).toContain("[word] three\n2\n");

  ending.abort();
  expect((await ended).code).toBe(130);
});

test("a change ends a run that is still going on", async () => {
  save("slow.ts", `export async function execute(ctx) {\n  ctx.emit("started", 1);\n  await ctx.sleep("1h");\n}`);
  const reader = createReader();
  const ending = new AbortController();
  const env = { WEFT_URL: server.url, WEFT_API_KEY: server.apiKey };
  const ended = weft(["dev", "slow.ts"], { cwd, env, signal: ending.signal, onWrite: reader.onWrite });
  await reader.until("[started] 1");
  save("slow.ts", `export const execute = () => "quick";`);
  expect(await reader.until("Waiting for a change")).toContain("quick\n");
  ending.abort();
  expect((await ended).code).toBe(130);
});

test("a file that does not exist is a usage error", async () => {
  const { code, err } = await weft(["dev", "nothing.ts"], { cwd, env: { WEFT_URL: server.url } });
  expect(code).toBe(2);
  expect(err).toContain("nothing.ts: cannot be read");
});
