import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeDataDir } from "../../../support/data-dir.ts";
import { until } from "../../../support/until.ts";
import { framesOf, payloadsOf, readerOf, type Service, startService } from "../../service.ts";

const SCRIPTS = {
  counts: `export async function execute(ctx) {
    for (let n = 0; n < 40; n++) { ctx.emit("n", n); if (n % 10 === 0) await ctx.sleep(20); }
    return { done: true };
  }`,
  talks: `export async function execute(ctx) { ctx.write("Hel"); ctx.write("lo"); }`,
  fails: `export async function execute(ctx) { ctx.emit("n", 0); throw new Error("no luck"); }`,
  hangs: `export async function execute(ctx) { ctx.emit("n", 0); await ctx.sleep("1h"); ctx.emit("n", 1); return 1; }`,
};

let service: Service;
let dataDir: Awaited<ReturnType<typeof makeDataDir>>;
beforeAll(async () => {
  dataDir = await makeDataDir();
  service = await startService({ WEFT_DATA_DIR: dataDir.path });
  for (const [ref, script] of Object.entries(SCRIPTS)) await service.deploy(ref, script);
});
afterAll(async () => {
  await service.close();
  await dataDir.remove();
});

const start = async (ref: string) => {
  const response = await service.invoke(ref, { input: 1, background: true, no_cache: true });
  return ((await response.json()) as { id: string }).id;
};
const open = (id: string, headers: Readonly<Record<string, string>> = {}, query = "") =>
  service.send(`/api/v1/runs/${id}/stream${query}`, { headers });
const read = async (id: string, headers?: Readonly<Record<string, string>>, query?: string) =>
  (await open(id, headers, query)).text();
const eventIds = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

describe("the stream of a run", () => {
  test("has every chunk once, for readers that come early and late", async () => {
    const id = await start("counts");
    const early = await Promise.all([read(id), read(id), read(id)]);
    const late = await read(id);
    for (const text of [...early, late]) {
      expect(eventIds(text)).toEqual(upTo(0, 40));
      expect(payloadsOf(text).at(-1)).toBe("[DONE]");
      expect(framesOf(text.replaceAll(/^id: \d+\n/gm, "")).at(-1)).toMatchObject({
        object: "chat.completion",
        output: { done: true },
      });
    }
  });

  test("goes on after the last event that a reader names, in a header or in the query", async () => {
    const id = await start("counts");
    const whole = await read(id);
    expect(eventIds(await read(id, { "last-event-id": "30" }))).toEqual(upTo(31, 40));
    expect(eventIds(await read(id, {}, "?last_event_id=38"))).toEqual([39]);
    const rest = await read(id, { "last-event-id": "39" });
    expect(eventIds(rest)).toEqual([]);
    expect(whole.endsWith(rest.slice(rest.indexOf("data: ")))).toBe(true);
  });

  test("says the same as the stream of the call", async () => {
    const call = await service.invoke("talks", { input: 1, stream: true, no_cache: true });
    const id = call.headers.get("x-weft-execution-id") ?? "";
    const direct = await call.text();
    const later = (await read(id)).replaceAll(/^id: \d+\n/gm, "");
    expect(framesOf(later)).toEqual(framesOf(direct));
    const onlyEnd = framesOf(await read(id, { "last-event-id": "1" }));
    expect(onlyEnd).toMatchObject([{ choices: [{ message: { content: "Hello" }, delta: {} }] }]);
  });

  test("of a failed run ends with its error", async () => {
    const text = (await read(await start("fails"))).replaceAll(/^id: \d+\n/gm, "");
    expect(framesOf(text).at(-1)).toMatchObject({ error: { code: "workflow_execution_error" } });
    expect(payloadsOf(text).at(-1)).toBe("[DONE]");
  });

  test("is refused with an id that it did not give, and for an unknown run", async () => {
    const id = await start("talks");
    expect((await open(id, { "last-event-id": "later" })).status).toBe(400);
    expect((await open("exec_00000000000000000000000000000000")).status).toBe(404);
  });

  test("goes on after a restart of the server, and ends when the run is cancelled", async () => {
    const id = await start("hangs");
    await until(async () => {
      const { data } = (await (await service.send(`/api/v1/runs/${id}`)).json()) as { data: { status: string } };
      return data.status === "waiting";
    });
    await service.close();
    service = await startService({ WEFT_DATA_DIR: dataDir.path });
    const response = await open(id);
    const text = response.text();
    await service.send(`/api/v1/runs/${id}/cancel`, { method: "POST" });
    expect(eventIds(await text)).toEqual([0]);
    expect(framesOf((await text).replaceAll(/^id: \d+\n/gm, "")).at(-1)).toMatchObject({
      error: { code: "workflow_cancelled" },
    });
  });
});

describe("live updates", () => {
  const eventsOf = (text: string) =>
    [...text.matchAll(/^id: (.*)\nevent: (\w+)\ndata: (.*)$/gm)].map(([, id = "", event = "", data = ""]) => ({
      id,
      event,
      data: JSON.parse(data) as Readonly<Record<string, unknown>>,
    }));

  test("of one run have its status, logs, spans and chunks, and end with it; a reader comes back where it was", async () => {
    await service.deploy(
      "works",
      `export async function execute(ctx) {
        ctx.log("one"); ctx.emit("n", 1); await ctx.sleep(50); ctx.log("two");
        await ctx.chat.completions.create({ messages: [{ role: "user", content: "hi" }] });
        return 1;
      }`,
    );
    const id = await start("works");
    const events = eventsOf(await (await service.send(`/api/v1/runs/${id}/events`)).text());
    expect(events.filter(({ event }) => event === "log").map(({ data }) => data["message"])).toEqual(["one", "two"]);
    expect(events.filter(({ event }) => event === "span").map(({ data }) => data["name"])).toContain(
      "chat.completions.create",
    );
    expect(events.find(({ event }) => event === "chunks")?.data).toEqual({ count: 1 });
    expect(events.at(-1)).toMatchObject({ event: "status", data: { status: "completed" } });
    const headers = { "last-event-id": events.at(-1)?.id ?? "" };
    const again = eventsOf(await (await service.send(`/api/v1/runs/${id}/events`, { headers })).text());
    expect(again.map(({ event }) => event)).toEqual(["status"]);
    expect((await service.send(`/api/v1/runs/${id}/events?last_event_id=x`)).status).toBe(400);
  });

  test("of the account have every change of status, also for a reader that comes back", async () => {
    const leave = new AbortController();
    const init = { signal: leave.signal };
    const response = await service.send("/api/v1/runs/events", init);
    const id = await start("talks");
    const text = await readerOf(response).to('"completed"');
    leave.abort();
    const events = eventsOf(text).filter(({ data }) => data["id"] === id);
    expect(events.map(({ data }) => data["status"])).toEqual(["queued", "running", "completed"]);
    expect(events[0]?.data["workflow_ref_name"]).toBe("talks");

    const back = new AbortController();
    const headers = { "last-event-id": events[0]?.id ?? "" };
    const missed = await service.send("/api/v1/runs/events", { headers, signal: back.signal });
    const rest = await readerOf(missed).to('"completed"');
    back.abort();
    expect(eventsOf(rest).filter(({ data }) => data["id"] === id)).toEqual(events.slice(1));
  });

  test("tell a reader whose id is of another time to read the list anew", async () => {
    const leave = new AbortController();
    const init = { headers: { "last-event-id": "AAAAAAAA-1" }, signal: leave.signal };
    const response = await service.send("/api/v1/runs/events", init);
    await readerOf(response).to("event: reset");
    leave.abort();
  });
});
