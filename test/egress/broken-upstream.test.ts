import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEgressClient, type EgressClient } from "../../runtime/egress/client.ts";
import { MAX_HINTS } from "../../runtime/egress/dispatcher.ts";
import { isPassing } from "../../runtime/egress/network-error.ts";
import { createOutbound, type Outbound } from "../../runtime/egress/outbound.ts";
import { createModelClient, type ModelClient } from "../../runtime/models/client.ts";
import { parseModels } from "../../runtime/models/config.ts";
import { rejectionOf } from "../support/thrown.ts";
import { BROKEN, type RawUpstream, startRawUpstream } from "./raw-upstream.ts";

const COMPLETION = '{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}';
const HINT = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n";
const answerOf = (body: string) =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

/** What is answered all the same. */
const ANSWERED = {
  "as many hints as there may be": { text: HINT.repeat(MAX_HINTS) + answerOf(COMPLETION) },
  "more than its length": { text: `${answerOf(COMPLETION)}and more` },
  "two answers at once": { text: answerOf(COMPLETION) + answerOf('{"forged":true}') },
};

let upstream: RawUpstream;
let client: EgressClient;
let outbound: Outbound;
let models: ModelClient;
beforeAll(async () => {
  upstream = await startRawUpstream({ ...BROKEN, ...ANSWERED });
  const allowPrivate = ["127.0.0.1/32"];
  client = createEgressClient({ allowPrivate });
  outbound = createOutbound({ allowPrivate });
  const names = [...Object.keys(BROKEN), ...Object.keys(ANSWERED)];
  const entries = names.map((name) => [name, { base_url: upstream.urlOf(name), max_retries: 1 }]);
  models = createModelClient(parseModels({ file: JSON.stringify({ models: Object.fromEntries(entries) }), env: {} }));
});
afterAll(async () => {
  upstream.close();
  await Promise.all([client.close(), outbound.close(), models.close()]);
});

const common = { timeoutMs: 10_000, signal: new AbortController().signal };

const request = (name: string, method = "GET") =>
  client.request({
    ...{ ...common, method, url: upstream.urlOf(name), headers: {}, body: null, allow: null },
    ...{ redirect: "follow", maxBytes: 100_000 },
  });

const post = (name: string) =>
  outbound.post({ ...common, url: upstream.urlOf(name), headers: {}, body: "{}", maxAnswerBytes: 1_000 });

const ask = (model: string) => ({
  ...{ ...common, model, intent: null, application: null, body: { messages: [{ role: "user", content: "hi" }] } },
  ...{ idempotencyKey: "exec:1", maxBytes: 100_000, spending: null, maxOutputTokens: 10 },
});

async function drain(model: string): Promise<void> {
  for await (const _ of models.stream(ask(model), () => undefined));
}

describe.each(Object.entries(BROKEN))("a service that answers with %s", (name, { reason, says }) => {
  const failed = { code: "UPSTREAM_FAILED", message: expect.stringContaining(says) };

  test("fails the request of a script, which is told why", async () => {
    expect(await rejectionOf(request(name))).toMatchObject({ ...failed, details: { reason } });
    expect(await rejectionOf(request(name, "POST"))).toMatchObject({ ...failed, details: { reason } });
  });

  test("fails a webhook", async () => {
    expect(await rejectionOf(post(name))).toMatchObject({ ...failed, details: { reason } });
  });

  test("fails the call of a model, again only where that may help", async () => {
    const attempts = isPassing(reason) ? 2 : 1;
    const before = upstream.seen(name);
    const error = await rejectionOf(models.complete(ask(name), () => undefined));
    expect(error).toMatchObject({ ...failed, details: { reason, attempts, model: name } });
    expect(upstream.seen(name) - before).toBe(attempts);
    expect(await rejectionOf(drain(name))).toMatchObject({ ...failed, details: { reason, model: name } });
  });
});

test.each(Object.keys(ANSWERED))(
  "%s is an answer, and what follows it is never taken for the next one",
  async (name) => {
    for (let i = 0; i < 3; i++) {
      expect(Buffer.from((await request(name)).body).toString()).toBe(COMPLETION);
      expect((await post(name)).text).toBe(COMPLETION);
      expect(await models.complete(ask(name), () => undefined)).toMatchObject(JSON.parse(COMPLETION));
    }
  },
);

test("an answer to a HEAD request has the length that it says, without a body", async () => {
  expect(await request("less than its length", "HEAD")).toMatchObject({ status: 200, body: new Uint8Array(0) });
});
