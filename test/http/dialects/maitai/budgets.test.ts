import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { framesOf, type Service, startService } from "../../service.ts";

type Json = Readonly<Record<string, unknown>>;

const SCRIPT = `export const config = { budget: { calls: 1 } };
export async function execute(ctx) {
  const ask = async (content) => (await ctx.chat.completions.create({ messages: [{ role: "user", content }] })).choices[0].message.content;
  return [await ask("one"), await ask("two")];
}`;

let service: Service;
beforeAll(async () => {
  service = await startService();
  await service.deploy("pair", SCRIPT);
});
afterAll(() => service.close());

const errorOf = (body: unknown) => (body as { readonly error: Json }).error;
const put = (body: unknown) =>
  service.send("/api/v1/budgets", {
    method: "PUT",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
const dataOf = async (response: Response) => ((await response.json()) as { readonly data: Json }).data;
const run = async (id: string) => dataOf(await service.send(`/api/v1/runs/${id}`));
/** Calls the pair; resolves to the id of its run, which waits for money. */
async function park(): Promise<string> {
  const answer = await service.invoke("pair", { input: Math.random() });
  await answer.body?.cancel();
  expect(answer.status).toBe(429);
  return answer.headers.get("x-weft-execution-id") ?? "";
}

test("who waits gets 429 at once, and is told which run waits and how to add to it", async () => {
  const answer = await service.invoke("pair");
  expect([answer.status, answer.headers.get("x-should-retry")]).toEqual([429, "false"]);
  expect(answer.headers.get("retry-after")).toBeNull();
  const id = answer.headers.get("x-weft-execution-id") ?? "";
  expect(errorOf(await answer.json())).toMatchObject({
    code: "budget_exceeded",
    type: "rate_limit_error",
    message: expect.stringContaining(`weft budget add ${id}`),
    details: {
      limit: "budget.calls",
      of: "run",
      run: id,
      execution_id: id,
      max: 1,
      spent: 1,
      reserved: 0,
      needed: 1,
      top_up: `POST /api/v1/runs/${id}/budget`,
    },
  });
});

test("a run shows what it may spend, has spent, and waits for; a top-up lets it go on", async () => {
  const id = await park();
  expect(await run(id)).toMatchObject({
    status: "waiting",
    waiting_reason: "budget",
    wakes_at: null,
    error: null,
    waiting_for: [{ kind: "budget", name: "budget.calls", until: null }],
    budget: {
      limits: { usd: null, tokens: null, calls: 1 },
      spent: { usd: 0, calls: 1 },
      reserved: { calls: 0 },
      left: { usd: null, tokens: null, calls: 0 },
      waits_for: { limit: "budget.calls", execution_id: id, max: 1, spent: 1 },
    },
    links: { budget: `/api/v1/runs/${id}/budget` },
  });
  const add = () => service.post(`/api/v1/runs/${id}/budget`, { add: { calls: 1 } }, { "idempotency-key": id });
  expect(await dataOf(await add())).toMatchObject({ budget: { limits: { calls: 2 } } });
  expect((await add()).status).toBe(200);
  const done = await until(async () => {
    const found = await run(id);
    return found["status"] === "completed" ? found : null;
  });
  expect(done).toMatchObject({
    output: ["echo: one", "echo: two"],
    waiting_reason: null,
    budget: { spent: { calls: 2 }, limits: { calls: 2 }, waits_for: null },
  });
  // The same addition again is answered as before; another one comes too late.
  expect((await add()).status).toBe(200);
  expect((await service.post(`/api/v1/runs/${id}/budget`, { add: { calls: 1 } })).status).toBe(409);
});

test("a stream ends with the error; a run in the background just waits", async () => {
  const stream = await service.invoke("pair", { input: {}, stream: true });
  const frames = framesOf(await stream.text());
  expect(frames.at(-1)).toMatchObject({ error: { code: "budget_exceeded", status: 429 } });
  const started = await service.invoke("pair", { input: {}, background: true });
  const { id } = (await started.json()) as { readonly id: string };
  await until(async () => (await run(id))["waiting_reason"] === "budget");
});

test("the call's own budget is obeyed, and its amounts are checked", async () => {
  const answer = await service.invoke("pair", { input: {}, budget: { calls: 0 } });
  expect(errorOf(await answer.json())).toMatchObject({ details: { max: 0, needed: 1 } });
  const wrong = [{ calls: -1 }, { calls: 1.5 }, { usd: "1" }, { usd: 1e308 }, { tokens: 1e300 }, { euro: 1 }, [1], 7];
  for (const budget of wrong) {
    const refused = await service.invoke("pair", { input: {}, budget });
    expect([budget, refused.status]).toEqual([budget, 400]);
    expect(errorOf(await refused.json())["param"]).toMatch(/^budget/);
  }
  const free = await service.invoke("pair", { input: {}, budget: { usd: 0.0000000001, calls: null } });
  expect(free.status).toBe(429);
});

test("additions are checked", async () => {
  const id = await park();
  const add = (body: unknown) => service.post(`/api/v1/runs/${id}/budget`, body);
  const wrong = [
    {},
    { add: {} },
    { add: { calls: -1 } },
    { add: { calls: "1" } },
    { add: { tokens: 5 } },
    { add: null },
  ];
  for (const body of wrong) expect([body, (await add(body)).status]).toEqual([body, 400]);
  const unknown = "exec_0123456789abcdef0123456789abcdef";
  expect((await service.post(`/api/v1/runs/${unknown}/budget`, { add: { calls: 1 } })).status).toBe(404);
});

test("daily pools are set, shown, added to and removed; an empty one refuses calls until midnight", async () => {
  expect(await dataOf(await service.send("/api/v1/budgets"))).toMatchObject({ account: null, keys: {} });
  const set = await put({ account: { calls: 0, usd: 5 }, keys: { owner: { tokens: 1_000_000 } } });
  expect(await dataOf(set)).toMatchObject({
    day: new Date().toISOString().slice(0, 10),
    account: { limits: { usd: 5, tokens: null, calls: 0 }, left: { calls: 0 } },
    keys: { owner: { limits: { tokens: 1_000_000 } } },
  });
  const refused = await service.invoke("pair", { input: {}, background: true });
  expect([refused.status, refused.headers.get("x-should-retry")]).toEqual([429, "false"]);
  const wait = Number(refused.headers.get("retry-after"));
  expect(wait).toBeGreaterThan(0);
  expect(wait).toBeLessThanOrEqual(86_400);
  expect(errorOf(await refused.json())).toMatchObject({ code: "budget_exceeded", details: { of: "account", max: 0 } });
  const added = await service.post("/api/v1/budgets/add", { add: { calls: 7 } });
  expect(await dataOf(added)).toMatchObject({ account: { limits: { calls: 7 } } });
  await park();
  expect(await dataOf(await service.send("/api/v1/budgets"))).toMatchObject({
    account: { spent: { calls: 1 }, left: { calls: 6 } },
    keys: { owner: { spent: { calls: 1 } } },
  });
  for (const body of [
    {},
    { account: { calls: -1 } },
    { keys: { nobody: { calls: 1 } } },
    { keys: { "": {} } },
    { owner: {} },
  ])
    expect([body, (await put(body)).status]).toEqual([body, 400]);
  for (const key of ["nobody", ""])
    expect((await service.post("/api/v1/budgets/add", { add: { calls: 1 }, key })).status).toBe(400);
  expect(await dataOf(await put({ account: null, keys: { owner: null } }))).toMatchObject({ account: null, keys: {} });
});
