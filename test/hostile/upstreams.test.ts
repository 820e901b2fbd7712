import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BROKEN, type RawUpstream, startRawUpstream } from "../egress/raw-upstream.ts";
import { BYSTANDER_OUTPUT, type HostileScript, type HostileServer, startHostileServer } from "../support/hostile.ts";

// Services that break HTTP, as scripts meet them: each ends its own call, with its reason, and nobody else's.

const GREETING = "the greeting of another protocol";
const ROOM = { WEFT_LIMIT_TURN_MS: "5000", WEFT_LIMIT_CPU_MS: "10000" };

type Attempt = Pick<HostileScript, "script" | "input">;

let upstream: RawUpstream;
let server: HostileServer;
beforeAll(async () => {
  upstream = await startRawUpstream(BROKEN);
  const model = { OPENAI_BASE_URL: upstream.urlOf(GREETING), OPENAI_API_KEY: "sk-stub" };
  server = await startHostileServer("fast", { ...ROOM, ...model });
});
afterAll(async () => {
  await server.close();
  upstream.close();
  expect(server.reported).toEqual([]);
});

async function expectEnd(code: string, says: string, { script, input = {} }: Attempt): Promise<void> {
  const { hostile, bystanders } = await server.attack({ script, input, ends: [] });
  expect([hostile.status, hostile.code]).toEqual([500, code]);
  expect(hostile.message).toContain(says);
  expect(hostile.headers.get("x-should-retry")).toBe("false");
  for (const { output } of bystanders) expect(output).toEqual(BYSTANDER_OUTPUT);
}

describe.each(Object.entries(BROKEN))("a service that answers with %s", (name, { reason, says }) => {
  test("ends the execution that does not catch it", async () => {
    const script = "return (await ctx.http.get(ctx.input.url, { retries: 0 })).status;";
    await expectEnd("http_error", says, { script, input: { url: upstream.urlOf(name) } });
  });

  test("is an error that a script can catch, and it goes on", async () => {
    const script = `let told = null;
      try { await ctx.http.get(ctx.input.url, { retries: 0 }); } catch (error) { told = [error.name, error.code, error.details.reason]; }
      return { told, next: 1 + 1 };`;
    const { hostile, bystanders } = await server.attack({ script, input: { url: upstream.urlOf(name) }, ends: [] });
    expect(hostile.body["output"]).toEqual({ told: ["HttpError", "UPSTREAM_FAILED", reason], next: 2 });
    for (const { output } of bystanders) expect(output).toEqual(BYSTANDER_OUTPUT);
  });
});

test("a model service that speaks another protocol ends the execution that asked it", async () => {
  const { says } = BROKEN[GREETING] as { readonly says: string };
  const script = 'return ctx.chat.completions.create({ messages: [{ role: "user", content: "hi" }] });';
  await expectEnd("chat_error", says, { script });
});
