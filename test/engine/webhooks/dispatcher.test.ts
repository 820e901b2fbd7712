import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSealer } from "../../../src/engine/sealing/sealer.ts";
import type { Delivery } from "../../../src/engine/types.ts";
import { MAX_ATTEMPTS } from "../../../src/engine/webhooks/backoff.ts";
import { createWebhooks, type Webhooks } from "../../../src/engine/webhooks/create-webhooks.ts";
import { toRunSummary } from "../../../src/http/dialects/maitai/run-view.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { makeDataDir } from "../../support/data-dir.ts";
import { until } from "../../support/until.ts";

const DAY = 86_400_000;
const SEALER = createSealer([Buffer.alloc(32, 7)]);

let receiver: Server;
let url = "";
let ids: string[] = [];
let status: number | null = 204;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    ids.push(String(request.headers["webhook-id"]));
    request.resume().on("end", () => {
      if (status !== null) response.writeHead(status, status === 429 ? { "retry-after": "3600" } : {}).end("so it is");
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterAll(() => {
  receiver.closeAllConnections();
  receiver.close();
});

const RULE = { description: "", events: ["completed"], workflows: null, enabled: true } as const;

async function addEndpoint({ webhooks, accountId }: Pick<TestCore, "webhooks" | "accountId">): Promise<string> {
  return (await webhooks.create({ accountId, rule: { ...RULE, url } })).endpoint.id;
}

async function onlyDelivery(webhooks: Webhooks, accountId: string, executionId: string): Promise<Delivery> {
  const page = { accountId, endpointId: null, executionId, limit: 5, offset: 0 };
  return until(async () => (await webhooks.deliveries(page))[0]);
}

/** A core whose own dispatcher is stopped, and one that lives by `now`. */
async function withClock(): Promise<{ core: TestCore; webhooks: Webhooks; clock: { now: number } }> {
  const core = await startTestCore();
  await core.webhooks.stop();
  const clock = { now: Date.now() };
  const options = { store: core.store, runtime: core.runtime, sealer: SEALER, showRun: toRunSummary };
  const report = (error: unknown) => void (core.reported as unknown[]).push(error);
  const webhooks = createWebhooks({ ...options, report, now: () => clock.now });
  await core.deploy("one", "export const execute = () => 1;");
  return { core: { ...core, webhooks }, webhooks, clock };
}

test("a delivery that always fails is tried for about a day under one id, then given up; a replay starts anew", async () => {
  const { core, webhooks, clock } = await withClock();
  const { accountId } = core;
  await addEndpoint(core);
  status = 500;
  ids = [];
  const first = clock.now;
  const { executionId } = await core.invoke("one", { mode: "background" });
  webhooks.start();
  const { id } = await onlyDelivery(webhooks, accountId, executionId);
  const read = () => webhooks.delivery({ accountId, deliveryId: id });
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const { delivery } = await until(read, ({ attempts }) => attempts.length === attempt);
    if (delivery.dueAt !== null) clock.now = delivery.dueAt;
    webhooks.wake();
  }
  const given = await read();
  expect(given.delivery).toMatchObject({ status: "failed", attempts: MAX_ATTEMPTS, dueAt: null });
  expect(given.attempts.at(-1)).toMatchObject({
    status: 500,
    answer: "so it is",
    error: expect.stringContaining("500"),
  });
  expect(clock.now - first).toBeGreaterThan(0.75 * DAY);
  expect(clock.now - first).toBeLessThan(1.3 * DAY);
  expect(new Set(ids)).toEqual(new Set([id]));
  status = 429;
  await webhooks.replay({ accountId, deliveryId: id });
  const again = await until(read, ({ attempts }) => attempts.length > MAX_ATTEMPTS);
  expect(again.delivery).toMatchObject({ status: "pending", dueAt: clock.now + 3_600_000 });
  clock.now += 8 * DAY;
  status = 204;
  webhooks.wake();
  await until(read, ({ delivery }) => delivery.status === "delivered");
  clock.now += 8 * DAY;
  webhooks.wake();
  const left = () => webhooks.deliveries({ accountId, endpointId: null, executionId, limit: 1, offset: 0 });
  await until(left, ({ length }) => length === 0);
  expect(core.reported).toEqual([]);
  await webhooks.stop();
  await core.close();
});

test("the log is cleaned again when time has passed, however long the last cleaning took", async () => {
  const core = await startTestCore();
  await core.webhooks.stop();
  const clock = { now: Date.now() };
  const befores: number[] = [];
  const store: typeof core.store = {
    ...core.store,
    async pruneDeliveries(params) {
      befores.push(params.before);
      if (befores.length === 1) clock.now += DAY;
      return core.store.pruneDeliveries(params);
    },
  };
  const { runtime } = core;
  const report = (error: unknown) => void (core.reported as unknown[]).push(error);
  const webhooks = createWebhooks({
    store,
    runtime,
    sealer: SEALER,
    showRun: toRunSummary,
    report,
    now: () => clock.now,
  });
  webhooks.start();
  await until(() => befores.length === 2);
  expect((befores[1] ?? 0) - (befores[0] ?? 0)).toBe(DAY);
  expect(core.reported).toEqual([]);
  await webhooks.stop();
  await core.close();
});

test("a delivery to a deleted endpoint, or whose secret cannot be read, fails and says why", async () => {
  const { core, webhooks } = await withClock();
  const { accountId } = core;
  status = 204;
  const gone = await addEndpoint(core);
  const other = createWebhooks({
    store: core.store,
    runtime: core.runtime,
    sealer: createSealer([Buffer.alloc(32, 9)]),
    showRun: toRunSummary,
    report: () => undefined,
    now: Date.now,
  });
  await other.create({ accountId, rule: { ...RULE, url } });
  const { executionId } = await core.invoke("one", { mode: "background" });
  const event = await until(async () => (await core.store.webhookEvents({ max: 1 }))[0]);
  const execution = await core.store.findExecution({ accountId, executionId });
  const targets = await core.store.webhookTargets({ event, workflowId: execution?.workflowId ?? "" });
  const deliveries = targets.map((target, n) => ({
    ...target,
    id: `msg_${n}`,
    type: "execution.completed",
    payload: "{}",
  }));
  await core.store.addDeliveries({ event, deliveries, now: 0 });
  await webhooks.remove({ accountId, endpointId: gone });
  webhooks.start();
  const errors = await until(async () => {
    const found = await Promise.all(
      ["msg_0", "msg_1"].map((deliveryId) => webhooks.delivery({ accountId, deliveryId })),
    );
    return found.every(({ delivery }) => delivery.status === "failed")
      ? found.map(({ attempts }) => attempts[0]?.error)
      : null;
  });
  expect(errors).toEqual(["The endpoint was deleted.", expect.stringContaining("set the secret anew")]);
  await webhooks.stop();
  await core.close();
});

test("a stop gives up what is under way, and the next start sends it at once; secrets stay readable", async () => {
  const { path, remove } = await makeDataDir();
  const environment = { WEFT_DATA_DIR: path };
  status = null;
  ids = [];
  const before = await startTestCore(environment);
  const { accountId } = before;
  await before.deploy("one", "export const execute = () => 1;");
  await addEndpoint(before);
  const { executionId } = await before.invoke("one", { mode: "background" });
  await until(async () => ids.length === 1);
  await before.close();
  status = 204;
  const after = await startTestCore(environment);
  const { id } = await onlyDelivery(after.webhooks, accountId, executionId);
  const look = () => after.webhooks.delivery({ accountId, deliveryId: id });
  const ended = await until(look, ({ delivery }) => delivery.status === "delivered");
  expect(ended.attempts).toMatchObject([{ attempt: 1, status: 204 }]);
  expect(ids).toEqual([id, id]);
  expect([...before.reported, ...after.reported]).toEqual([]);
  await after.close();
  await remove();
});

test("an event whose message cannot be written holds up no other", async () => {
  const core = await startTestCore();
  await core.webhooks.stop();
  await core.deploy("one", "export const execute = () => 1;");
  await core.deploy("bad", "export const execute = () => 2;");
  const failures: unknown[] = [];
  const webhooks = createWebhooks({
    store: core.store,
    runtime: core.runtime,
    sealer: SEALER,
    now: Date.now,
    report: (error) => void failures.push(error),
    showRun(execution, version) {
      if (execution.ref === "bad") throw new RangeError("too deep");
      return toRunSummary(execution, version);
    },
  });
  status = 204;
  ids = [];
  await addEndpoint({ ...core, webhooks });
  await (await core.invoke("bad")).result;
  const good = await core.invoke("one");
  await good.result;
  webhooks.start();
  const { id } = await onlyDelivery(webhooks, core.accountId, good.executionId);
  await until(() => ids.length === 1);
  expect(ids).toEqual([id]);
  expect(failures).toEqual([new RangeError("too deep")]);
  await webhooks.stop();
  await core.close();
});
