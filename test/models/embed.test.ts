import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createModelClient, type ModelClient } from "../../runtime/models/client.ts";
import { parseModels } from "../../runtime/models/config.ts";
import { echoEmbedding } from "../../runtime/models/echo-embedding.ts";
import type { EmbedRequest } from "../../runtime/models/embed.ts";
import type { ModelUsage } from "../../runtime/models/usage.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";

let stub: ModelStub;
let client: ModelClient;

beforeAll(async () => {
  stub = await startModelStub();
  const model = { base_url: stub.url, price_per_million_tokens: { prompt: 2 }, max_retries: 0, upstream_model: "up" };
  client = createModelClient(
    parseModels({ file: JSON.stringify({ models: { main: model }, embedding_model: "main" }), env: {} }),
  );
});
afterAll(async () => {
  await client.close();
  await stub.close();
});

const JSON_TYPE = { "content-type": "application/json" };
const answer = (body: unknown) => stub.script({ raw: JSON.stringify(body), headers: JSON_TYPE });
const { signal } = new AbortController();
const asked: EmbedRequest = {
  model: null,
  texts: ["a", "b"],
  dimensions: 2,
  idempotencyKey: "k",
  signal,
  spending: null,
};

async function embed(request: Partial<EmbedRequest> = {}, by = client) {
  const usages: ModelUsage[] = [];
  const made = await by.embed({ ...asked, ...request }, (usage) => usages.push(usage));
  return { ...made, usage: usages.at(-1) };
}

describe("vectors of a service", () => {
  test("come in the order of the texts, whatever the order of the answer, with what they cost", async () => {
    const data = [
      { index: 1, embedding: [0, 1] },
      { index: 0, embedding: [1, 0] },
    ];
    answer({ data, usage: { prompt_tokens: 500_000, total_tokens: 500_000 } });
    expect(await embed()).toEqual({
      model: "main",
      vectors: [
        [1, 0],
        [0, 1],
      ],
      usage: { attempts: 1, promptTokens: 500_000, completionTokens: 0, costUsd: 1, model: "main" },
    });
    const call = stub.calls.at(-1);
    expect(call?.path).toMatch(/\/embeddings$/);
    expect(call?.body).toEqual({ model: "up", input: ["a", "b"], encoding_format: "float" });
  });

  const one = { embedding: [1, 2] };
  test.each([
    ["one vector too few", { data: [one] }, /not one vector for each of 2 texts/],
    ["another count of numbers", { data: [one, { embedding: [1, 2, 3] }] }, /3 numbers, 2 are wanted/],
    ["no numbers", { data: [one, { embedding: ["1", 2] }] }, /not a list of numbers/],
    ["an index that leads nowhere", { data: [one, { ...one, index: 7 }] }, /a vector for text 7/],
    [
      "one index twice",
      {
        data: [
          { ...one, index: 0 },
          { ...one, index: 0 },
        ],
      },
      /left out the vector/,
    ],
    ["nothing that is known", { object: "list" }, /not one vector/],
  ])("with %s are an error of the service", async (_what, body, message) => {
    answer(body);
    await expect(embed()).rejects.toMatchObject({ code: "UPSTREAM_FAILED", message: expect.stringMatching(message) });
  });

  test("that are no JSON, or are refused, name the model and what was asked of it", async () => {
    stub.script({ raw: "<html>", headers: JSON_TYPE });
    await expect(embed()).rejects.toMatchObject({ message: expect.stringContaining('embeddings: model "main"') });
    stub.script({ status: 401, error: "bad key sk-0123456789abcdef" });
    const refused = embed();
    await expect(refused).rejects.toMatchObject({ code: "UPSTREAM_FAILED" });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining("sk-0123") });
    await expect(embed({ model: "unknown" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("vectors of the built-in model", () => {
  const cosine = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, at) => sum + x * (b[at] ?? 0), 0);

  test("are the same for the same text, of length 1, and close for texts that share words", () => {
    const made = (text: string) => echoEmbedding(text, null).vector;
    expect(made("Garden hose")).toEqual(made("garden  HOSE!"));
    expect(made("x")).toHaveLength(256);
    for (const text of ["", "garden", "ein längerer Satz"]) expect(cosine(made(text), made(text))).toBeCloseTo(1, 5);
    expect(cosine(made("a garden hose"), made("the garden"))).toBeGreaterThan(
      cosine(made("a garden hose"), made("desk lamp")),
    );
  });

  test("answer where no service is configured, with as many numbers as are wanted", async () => {
    const offline = createModelClient(parseModels({ file: null, env: {} }));
    const made = await embed({ texts: ["two words", ""], dimensions: 5 }, offline);
    expect(made.vectors.map((vector) => vector.length)).toEqual([5, 5]);
    expect(made).toMatchObject({ model: "echo", usage: { promptTokens: 2, costUsd: 0 } });
    await offline.close();
  });
});
