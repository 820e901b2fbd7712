import { afterAll, describe, expect, test } from "vitest";
import { createBundler } from "../../runtime/bundle/bundler.ts";
import { fail } from "../../runtime/errors.ts";
import { type Answer, cryptoAnswer, runInGuest } from "./guest.ts";

const bundler = createBundler({ timeoutMs: 60_000 });
afterAll(() => bundler.close());

const bundle = (text: string) => bundler.bundle({ files: [{ path: "main.ts", text }] });

async function run(
  text: string,
  options: { input?: unknown; answer?: Answer; frozen?: boolean } = {},
): Promise<unknown> {
  const end = await runInGuest(await bundle(text), options);
  if (!end.ok) throw new Error(JSON.stringify(end.value));
  return end.value;
}

describe("zod", () => {
  const script = (from: string) => `${from}
    export const inputSchema = z.object({ name: z.string(), site: z.optional(z.url()) });
    export const OUTPUT_SCHEMA = z.object({ n: z.number() });
    export const execute = (ctx) => z.safeParse(inputSchema, ctx.input).success`;

  test.each([
    `import { z } from "zod";`,
    `import * as z from "zod";`,
    `import * as z from "zod/mini";`,
    `import z from "zod/v4";`,
  ])("validates and becomes JSON Schema: %s", async (from) => {
    const made = await bundle(script(from));
    expect((await runInGuest(made, { input: { name: "a", site: "https://a.example/x" } })).value).toBe(true);
    expect((await runInGuest(made, { input: { name: "a", site: "nope" } })).value).toBe(false);
    const { value } = await runInGuest(made, { mode: "describe" });
    expect(value).toMatchObject({
      config: null,
      inputSchema: {
        type: "object",
        required: ["name"],
        properties: { name: { type: "string" }, site: { type: "string", format: "uri" } },
      },
      outputSchema: { properties: { n: { type: "number" } } },
    });
  });

  test("is found in any file of the upload; plain schemas beside it stay as they are", async () => {
    const made = await bundler.bundle({
      entry: "main.ts",
      files: [
        {
          path: "main.ts",
          text: `export { schema as inputSchema } from "./schema"; export const outputSchema = { type: "null" }; export const execute = () => null`,
        },
        { path: "schema.ts", text: `import { z } from "zod"; export const schema = z.string()` },
      ],
    });
    expect((await runInGuest(made, { mode: "describe" })).value).toMatchObject({
      inputSchema: { type: "string" },
      outputSchema: { type: "null" },
    });
  });

  test("costs nothing when it is not used", async () => {
    expect((await bundle("export const execute = () => 1")).code.length).toBeLessThan(1_000);
  });
});

test("lodash-es and date-fns run, whole and by single function", async () => {
  const value =
    await run(`import _, { groupBy } from "lodash-es"; import chunk from "lodash-es/chunk"; import { addDays, formatISO } from "date-fns"; import { de } from "date-fns/locale/de";
    export const execute = () => [groupBy([1, 2, 3], (n) => n % 2), chunk([1, 2, 3], 2), _.camelCase("a b"), formatISO(addDays(new Date("2026-01-31T00:00:00Z"), 1)), de.code]`);
  expect(value).toEqual([{ 0: [2], 1: [1, 3] }, [[1, 2], [3]], "aB", "2026-02-01T00:00:00Z", "de"]);
});

describe("openai", () => {
  const completion = { choices: [{ message: { role: "assistant", content: "hi" } }] };
  const reply = (body: string, type: string) => ({
    status: 200,
    url: "http://models.example/v1",
    headers: { "content-type": type },
    body,
    encoding: "text",
  });

  test("calls chat completions through the op of ctx.http", async () => {
    const calls: unknown[] = [];
    const answer: Answer = (op, args) => {
      if (op !== "http.request") return cryptoAnswer(op, args);
      calls.push(args);
      return reply(JSON.stringify(completion), "application/json");
    };
    const value = await run(
      `import OpenAI from "openai"; export async function execute() {
        const client = new OpenAI({ apiKey: "key", baseURL: "http://models.example/v1" });
        return (await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "hello" }] })).choices[0].message.content }`,
      { answer },
    );
    expect(value).toBe("hi");
    expect(calls).toMatchObject([
      { method: "POST", url: "http://models.example/v1/chat/completions", headers: { authorization: "Bearer key" } },
    ]);
  });

  test("reads a stream of server-sent events at level context", async () => {
    const events = ["a", "é"].map((content) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
    const answer: Answer = (op, args) =>
      op === "http.request" ? reply(`${events.join("")}data: [DONE]\n\n`, "text/event-stream") : cryptoAnswer(op, args);
    const value = await run(
      `import { OpenAI } from "openai"; export async function execute() {
        const client = new OpenAI({ apiKey: "key", baseURL: "http://models.example/v1" }); let text = "";
        for await (const part of await client.chat.completions.create({ model: "m", messages: [], stream: true })) text += part.choices[0].delta.content;
        return text }`,
      // The client assigns to `return` of an async generator, which frozen intrinsics refuse.
      { answer, frozen: false },
    );
    expect(value).toBe("aé");
  });

  test("throws its own error when the call fails", async () => {
    const answer: Answer = (op, args) => {
      if (op === "timer" && (args as { ms: number }).ms > 60_000) return cryptoAnswer(op, args);
      if (op !== "http.request") return null;
      throw fail("UPSTREAM_FAILED", { message: "no route" });
    };
    const value = await run(
      `import OpenAI from "openai"; export const execute = () => new OpenAI({ apiKey: "k", baseURL: "http://m.example", maxRetries: 0 }).models.list()
        .then(() => null, (error) => [error instanceof OpenAI.APIConnectionError, error.cause.message])`,
      { answer },
    );
    expect(value).toEqual([true, "fetch failed: no route"]);
  });
});

test("a part of a package that needs Node is refused in plain words", async () => {
  await expect(
    bundle(`import { playAudio } from "openai/helpers/audio"; export const execute = () => playAudio`),
  ).rejects.toThrow(/^script: this part of the package needs "node:[a-z_]+", which workflows do not have/);
  await expect(bundle(`import x from "zod/nope"; export const execute = () => x`)).rejects.toThrow(
    'main.ts:1:15: package has no module "zod/nope"',
  );
});
