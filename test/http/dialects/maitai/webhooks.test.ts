import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}
type Json = Readonly<Record<string, unknown>>;

let service: Service;
let receiver: Server;
let url = "";
let received: Received[] = [];
/** Status by path; 204 otherwise. */
const statuses = new Map<string, number>();

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const path = request.url ?? "";
      received.push({ path, headers: request.headers, text: Buffer.concat(pieces).toString() });
      if (path === "/silent") return;
      response.writeHead(statuses.get(path) ?? 204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  service = await startService();
  await service.deploy("echo", "export const execute = (ctx) => ({ got: ctx.input });");
  await service.deploy("broken", "export const execute = () => { throw new Error('oh no'); };");
  await service.deploy("large", "export const execute = () => 'x'.repeat(300_000);");
  await service.deploy("long", "export const execute = async (ctx) => { await ctx.sleep('1h'); return 1; };");
});
afterAll(async () => {
  await service.close();
  receiver.closeAllConnections();
  receiver.close();
});
beforeEach(() => {
  received = [];
});

const BASE = "/api/v1/webhooks";
const LOG = "/api/v1/webhook-deliveries";
const read = async (response: Response) => ({ status: response.status, body: (await response.json()) as Json });
const get = async (path: string) => read(await service.send(path));
const post = async (path: string, body: unknown = {}) => read(await service.post(path, body));
const patch = async (path: string, body: unknown) =>
  read(
    await service.send(path, {
      method: "PATCH",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    }),
  );
const data = ({ body }: { readonly body: Json }) => body["data"] as Json;
const remove = async (id: unknown) => (await service.send(`${BASE}/${id}`, { method: "DELETE" })).status;
const at = (path: string) => until(async () => received.find((one) => one.path === path));
const verify = (secret: unknown, { text, headers }: Received) =>
  new Webhook(String(secret)).verify(text, headers as Record<string, string>) as {
    type: string;
    timestamp: string;
    data: Json;
  };
const ended = (id: unknown) =>
  until(async () => {
    const { status } = data(await get(`${LOG}/${id}`));
    return status === "pending" ? null : status;
  });

describe("an endpoint", () => {
  test("is told of ended runs, signed, and the log shows it", async () => {
    const made = data(await post(BASE, { url: `${url}/a`, description: "mine" }));
    expect(made).toMatchObject({
      url: `${url}/a`,
      description: "mine",
      enabled: true,
      workflows: null,
      disabled_reason: null,
    });
    expect(made["events"]).toEqual(["execution.completed", "execution.failed", "execution.cancelled"]);
    expect(made["secret"]).toMatch(/^whsec_/);
    const answer = await service.invoke("echo", { input: { n: 1 }, session_id: "s-1" });
    const runId = answer.headers.get("x-weft-execution-id");
    const one = await at("/a");
    const message = verify(made["secret"], one);
    expect(message).toMatchObject({
      type: "execution.completed",
      data: {
        id: runId,
        status: "completed",
        workflow_ref_name: "echo",
        version: "1.0.0",
        session_id: "s-1",
        output: { got: { n: 1 } },
      },
    });
    expect(Number.isNaN(Date.parse(message.timestamp))).toBe(false);
    expect(one.headers["content-type"]).toBe("application/json");
    const [delivery] = (await get(`${LOG}?run=${runId}&webhook=${made["id"]}`)).body["data"] as readonly Json[];
    expect(delivery?.["id"]).toBe(one.headers["webhook-id"]);
    expect(await ended(delivery?.["id"])).toBe("delivered");
    const shown = data(await get(`${LOG}/${delivery?.["id"]}`));
    expect(shown).toMatchObject({
      type: "execution.completed",
      attempts: 1,
      payload: { data: { id: runId } },
      log: [{ attempt: 1, status: 204, error: null, answer: "" }],
    });
    expect((await get(`${BASE}/${made["id"]}`)).body).not.toHaveProperty("data.secret");
    expect(JSON.stringify((await get(BASE)).body)).not.toContain("whsec_");
    expect(await remove(made["id"])).toBe(200);
  });

  test("is told of failures with their error, of cancelled and waiting runs when asked, and of its workflows only", async () => {
    const made = data(
      await post(BASE, {
        url: `${url}/b`,
        events: ["execution.failed", "execution.waiting", "execution.cancelled"],
        workflows: ["broken", "long"],
      }),
    );
    await service.invoke("echo");
    await service.invoke("broken");
    const started = await read(await service.invoke("long", { input: {}, background: true }));
    const waiting = await until(async () => received.find(({ text }) => text.includes("execution.waiting")));
    expect(verify(made["secret"], waiting).data).toMatchObject({
      id: started.body["id"],
      status: "waiting",
      output: null,
    });
    await post(`/api/v1/runs/${started.body["id"]}/cancel`);
    await until(async () => received.length >= 3);
    const types = received.map((one) => verify(made["secret"], one)).toSorted((a, b) => a.type.localeCompare(b.type));
    expect(types).toMatchObject([
      { type: "execution.cancelled", data: { id: started.body["id"] } },
      {
        type: "execution.failed",
        data: { workflow_ref_name: "broken", error: { message: expect.stringContaining("oh no") } },
      },
      { type: "execution.waiting" },
    ]);
    await remove(made["id"]);
  });

  test("gets a mark instead of an output over 256 KiB", async () => {
    const made = data(await post(BASE, { url: `${url}/c` }));
    await service.invoke("large");
    const { text } = await at("/c");
    expect(JSON.parse(text).data).toMatchObject({ output: null, output_omitted: true, output_bytes: 300_002 });
    await remove(made["id"]);
  });

  test("that fails is tried again later, and can be replayed; a redirect is a failure", async () => {
    statuses.set("/d", 302);
    const made = data(await post(BASE, { url: `${url}/d` }));
    await service.invoke("echo");
    const { headers } = await at("/d");
    const id = headers["webhook-id"];
    const tried = await until(async () => {
      const found = data(await get(`${LOG}/${id}`));
      return (found["log"] as readonly Json[]).length === 1 ? found : null;
    });
    expect(tried).toMatchObject({
      status: "pending",
      attempts: 1,
      log: [{ status: 302, error: expect.stringContaining("302") }],
    });
    const [first] = tried["log"] as readonly Json[];
    expect(Number(tried["next_attempt_at"]) - Number(first?.["at"])).toBeGreaterThan(3);
    expect((await post(`${LOG}/${id}/replay`)).status).toBe(409);
    statuses.set("/d", 410);
    await service.invoke("echo");
    await until(async () => received.filter(({ path }) => path === "/d").length === 2);
    const gone = received.findLast(({ path }) => path === "/d")?.headers["webhook-id"];
    expect(await ended(gone)).toBe("failed");
    const disabled = await until(async () => {
      const found = data(await get(`${BASE}/${made["id"]}`));
      return found["enabled"] === false ? found : null;
    });
    expect(disabled["disabled_reason"]).toContain("410");
    await service.invoke("echo");
    statuses.delete("/d");
    expect(data(await patch(`${BASE}/${made["id"]}`, { enabled: true }))).toMatchObject({
      enabled: true,
      disabled_reason: null,
    });
    const replayed = await post(`${LOG}/${gone}/replay`);
    expect(data(replayed)).toMatchObject({ id: gone, status: "pending" });
    expect(await ended(gone)).toBe("delivered");
    expect(data(await get(`${LOG}/${gone}`))["log"]).toMatchObject([{ status: 410 }, { attempt: 2, status: 204 }]);
    await remove(made["id"]);
  });

  test("that never answers holds up no other", async () => {
    const silent = data(await post(BASE, { url: `${url}/silent` }));
    const quick = data(await post(BASE, { url: `${url}/quick` }));
    for (let n = 0; n < 12; n++) await service.invoke("echo", { input: { n: `silent ${n}` } });
    // What ended just before both were made may reach them, too.
    const toQuick = () =>
      received.filter(({ path, text }) => path === "/quick" && text.includes("silent ")).map(({ text }) => text);
    await until(toQuick, ({ length }) => length === 12);
    expect(received.filter(({ path }) => path === "/silent").length).toBeLessThanOrEqual(4);
    for (const { id } of [silent, quick]) await remove(id);
  });

  test("is signed with both secrets for a day after a rotation", async () => {
    const made = data(await post(BASE, { url: `${url}/e` }));
    const rotated = data(await post(`${BASE}/${made["id"]}/rotate`));
    expect(rotated["secret"]).not.toBe(made["secret"]);
    await service.invoke("echo");
    const one = await at("/e");
    for (const { secret } of [made, rotated]) expect(verify(secret, one).type).toBe("execution.completed");
    await remove(made["id"]);
  });
});

describe("a call", () => {
  test("with webhook_url is told of its own run, signed with the account's secret", async () => {
    const { secret } = data(await post(`${BASE}/secret/rotate`));
    const started = await read(
      await service.invoke("echo", { input: { n: 5 }, background: true, webhook_url: `${url}/mine?x=1` }),
    );
    await service.invoke("echo", { input: { n: 6 } });
    const message = verify(secret, await at("/mine?x=1"));
    expect(message).toMatchObject({
      type: "execution.completed",
      data: { id: started.body["id"], output: { got: { n: 5 } } },
    });
    expect(received).toHaveLength(1);
  });

  test("names events and whose secret signs; cached answers are told, too", async () => {
    const endpoint = data(await post(BASE, { url: `${url}/x`, events: ["execution.failed"] }));
    const webhook = { url: `${url}/y`, events: ["execution.completed"], secret_id: endpoint["id"] };
    await service.invoke("echo", { input: { n: 7 } });
    const answer = await service.invoke("echo", { input: { n: 7 }, webhook });
    expect(answer.headers.get("x-weft-cache")).toBe("hit");
    expect(verify(endpoint["secret"], await at("/y")).data).toMatchObject({ cached: true });
    const failed = await service.invoke("broken", { input: {}, webhook });
    expect(failed.status).toBe(500);
    await remove(endpoint["id"]);
  });

  test("repeated under one idempotency key is told once, to the first address", async () => {
    const body = { input: { n: 8 }, background: true };
    const headers = { "idempotency-key": "told-once" };
    await service.invoke("echo", { ...body, webhook_url: `${url}/first` }, headers);
    await service.invoke("echo", { ...body, webhook_url: `${url}/second` }, headers);
    await at("/first");
    await service.invoke("echo", { input: { n: 9 }, webhook_url: `${url}/third` });
    await at("/third");
    expect(received.map(({ path }) => path)).toEqual(["/first", "/third"]);
  });

  test.each([
    [{ webhook_url: "nothing" }, "webhook.url"],
    [{ webhook_url: "http://169.254.169.254/" }, "webhook.url"],
    [{ webhook_url: 5 }, "webhook_url"],
    [{ webhook: { url: "https://example.com/", secret_id: "whk_0" } }, "webhook.secret_id"],
    [{ webhook: { url: "https://example.com/", events: ["nope"] } }, "webhook.events.0"],
    [{ webhook: { url: "https://example.com/", more: 1 } }, "webhook.more"],
    [{ webhook: { url: "https://example.com/" }, webhook_url: "https://example.com/" }, "webhook_url"],
  ])("with %j is refused", async (more, param) => {
    const { status, body } = await read(await service.invoke("echo", { input: {}, ...more }));
    expect(status).toBe(400);
    expect(body["error"]).toMatchObject({ param });
  });
});

describe("what is wrong is named", () => {
  test.each([
    [{ url: "nothing" }, "url"],
    [{ url: "http://10.0.0.1/" }, "url"],
    [{ url: `https://example.com/${"x".repeat(3_000)}` }, "url"],
    [{ url: "https://example.com/", events: [] }, "events"],
    [{ url: "https://example.com/", secret: "x" }, "secret"],
    [{}, "url"],
  ])("%j", async (body, param) => {
    const answer = await post(BASE, body);
    expect(answer.status).toBe(400);
    expect(answer.body["error"]).toMatchObject({ param });
  });

  test("unknown workflows, webhooks and deliveries are 404", async () => {
    expect((await post(BASE, { url: "https://example.com/", workflows: ["nothing"] })).status).toBe(404);
    expect((await get(`${BASE}/whk_0`)).status).toBe(404);
    expect((await post(`${BASE}/whk_0/rotate`)).status).toBe(404);
    expect((await patch(`${BASE}/whk_0`, { enabled: true })).status).toBe(404);
    expect(await remove("whk_0")).toBe(404);
    expect((await get(`${LOG}/msg_0`)).status).toBe(404);
    expect((await post(`${LOG}/msg_0/replay`)).status).toBe(404);
    expect((await get(`${LOG}?run=nope`)).status).toBe(404);
  });

  test("another account sees none of them", async () => {
    const made = data(await post(BASE, { url: `${url}/f` }));
    const { webhooks } = service;
    const key = { accountId: "other", endpointId: String(made["id"]) };
    for (const action of ["find", "rotate", "remove"] as const)
      await expect(webhooks[action](key)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(webhooks.update({ ...key, changes: {} })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await service.invoke("echo");
    const id = (await at("/f")).headers["webhook-id"];
    const delivery = { accountId: "other", deliveryId: String(id) };
    await expect(webhooks.delivery(delivery)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(webhooks.replay(delivery)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await remove(made["id"]);
  });
});

test("nothing was reported as a bug", () => expect(service.reported).toEqual([]));
