import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Delivery, Store, WebhookEndpoint, WebhookEvent } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import {
  claim,
  DONE,
  execution,
  NO_OUTPUT,
  STOPPED,
  start,
  T0,
  USAGE,
  type World,
  workflowParams,
} from "../fixtures.ts";

const OTHER = "account-2";
const RULE = {
  url: "https://example.com/hook",
  description: "ops",
  events: ["completed", "failed"],
  workflowIds: null,
  enabled: true,
} as const;

const hex = () => randomUUID().replaceAll("-", "");

/** Adds an endpoint that is told of ended executions. */
export function addEndpoint(
  { store, account }: World,
  changes: Partial<WebhookEndpoint> = {},
): Promise<WebhookEndpoint> {
  const endpoint = { ...RULE, id: `whk_${hex()}`, accountId: account.id, secret: "sealed", ...changes };
  return store.addEndpoint({ endpoint, max: 100, now: T0 });
}

/** What a delivery of the tests says. */
export const message = (endpoint: WebhookEndpoint, changes: Partial<Delivery> = {}) => ({
  id: `msg_${hex()}`,
  endpointId: endpoint.id,
  target: endpoint.id,
  url: endpoint.url,
  type: "execution.completed",
  payload: '{"n":1}',
  ...changes,
});

/** Lets an execution of the world's workflow end well. */
export async function endOne(world: World): Promise<string> {
  const lease = await start(world);
  await world.store.completeExecution({ lease, ending: DONE, usage: USAGE, ...NO_OUTPUT, now: T0 + 5 });
  return lease.executionId;
}

async function nextEvent(store: Store): Promise<WebhookEvent> {
  const [event] = await store.webhookEvents({ max: 1 });
  if (event === undefined) throw new Error("there is no event");
  return event;
}

/** Adds a delivery that is due. */
export async function addDelivery(world: World, changes: Partial<Delivery> = {}): Promise<Delivery> {
  const endpoint = await addEndpoint(world);
  await endOne(world);
  const event = await nextEvent(world.store);
  const delivery = message(endpoint, changes);
  await world.store.addDeliveries({ event, deliveries: [delivery], now: T0 });
  const found = await world.store.findDelivery({ accountId: world.account.id, deliveryId: delivery.id });
  return found as Delivery;
}

const tried = (attempt: number, status: number | null) => ({
  attempt,
  at: T0,
  durationMs: 12.5,
  status,
  error: status === 200 ? null : "no",
  answer: "ok",
});

/** Contract of webhook endpoints. */
export function describeWebhooks(subject: () => Subject): void {
  describe("webhook endpoints", () => {
    it("are kept, changed, disabled, rotated and removed, each account its own", async () => {
      const { world, reopen } = subject();
      const { account, workflow } = world;
      const made = await addEndpoint(world, { workflowIds: [workflow.id] });
      expect(made).toMatchObject({
        ...RULE,
        workflowIds: [workflow.id],
        former: null,
        disabledReason: null,
        createdAt: T0,
      });
      const store = await reopen();
      const key = { accountId: account.id, endpointId: made.id };
      expect(await store.findEndpoint(key)).toEqual(made);
      const foreign = { ...key, accountId: OTHER, now: T0 };
      expect(await store.findEndpoint(foreign)).toBeNull();
      expect(await store.redefineEndpoint({ ...foreign, ...RULE })).toBe(false);
      expect(await store.disableEndpoint({ ...foreign, reason: "x" })).toBe(false);
      expect(await store.rotateEndpoint({ ...foreign, secret: "x", formerUntil: T0 })).toBe(false);
      expect(await store.removeEndpoint(foreign)).toBe(false);
      expect(await store.listEndpoints({ accountId: OTHER, limit: 5, offset: 0 })).toEqual({ items: [], total: 0 });
      expect(await store.listEndpoints({ accountId: account.id, limit: 5, offset: 0 })).toEqual({
        items: [made],
        total: 1,
      });
      expect(await store.rotateEndpoint({ ...key, secret: "new", formerUntil: T0 + 9, now: T0 + 1 })).toBe(true);
      expect(await store.findEndpoint(key)).toMatchObject({
        secret: "new",
        former: { secret: "sealed", until: T0 + 9 },
      });
      expect(await store.disableEndpoint({ ...key, reason: "gone", now: T0 })).toBe(true);
      expect(await store.findEndpoint(key)).toMatchObject({ enabled: false, disabledReason: "gone" });
      expect(await store.redefineEndpoint({ ...key, ...RULE, events: ["waiting"], now: T0 + 2 })).toBe(true);
      expect(await store.findEndpoint(key)).toMatchObject({
        events: ["waiting"],
        workflowIds: null,
        enabled: true,
        disabledReason: null,
        updatedAt: T0 + 2,
      });
      expect(await store.removeEndpoint(key)).toBe(true);
      expect(await store.findEndpoint(key)).toBeNull();
    });

    it("are refused above the limit, and take no workflow of another account", async () => {
      const { world } = subject();
      const { store, account } = world;
      const other = await store.putWorkflow(workflowParams(OTHER, { id: randomUUID() }));
      expect(await addEndpoint(world, { workflowIds: [other.id] })).toMatchObject({ workflowIds: [] });
      const endpoint = { ...RULE, id: `whk_${hex()}`, accountId: account.id, secret: "s" };
      await expect(store.addEndpoint({ endpoint, max: 1, now: T0 })).rejects.toMatchObject({
        code: "RATE_LIMITED",
        message: expect.stringContaining("MAX_ENDPOINTS"),
      });
    });

    it("for one workflow go with it, for several stay for the others", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const second = await store.putWorkflow(workflowParams(account.id, { ref: "second", id: randomUUID() }));
      const alone = await addEndpoint(world, { workflowIds: [workflow.id] });
      const both = await addEndpoint(world, { workflowIds: [workflow.id, second.id] });
      const all = await addEndpoint(world);
      await endOne(world);
      await store.addDeliveries({ event: await nextEvent(store), deliveries: [message(all)], now: T0 });
      await endOne(world);
      await store.deleteWorkflow({ accountId: account.id, workflowId: workflow.id });
      const { items } = await store.listEndpoints({ accountId: account.id, limit: 5, offset: 0 });
      expect(items.map(({ id, workflowIds }) => [id, workflowIds])).toEqual([
        [all.id, null],
        [both.id, [second.id]],
      ]);
      expect(items.some(({ id }) => id === alone.id)).toBe(false);
      expect(await store.webhookEvents({ max: 5 })).toEqual([]);
      expect(await store.dueTargets({ now: T0, after: "", max: 5 })).toEqual({ targets: [], next: null });
    });
  });
  describeEvents(subject);
  describeDeliveries(subject);
}

function describeEvents(subject: () => Subject): void {
  describe("webhook events", () => {
    it("are written with each end and wait that somebody wants to know of, whatever the way", async () => {
      const { world, reopen } = subject();
      const { store, account, workflow } = world;
      await endOne(world);
      expect(await store.webhookEvents({ max: 5 })).toEqual([]);
      await addEndpoint(world, { events: ["completed", "failed", "cancelled", "waiting"] });
      const ended = await endOne(world);
      const times = { startedAt: T0, finishedAt: T0 + 7, usage: USAGE };
      const failed = execution(workflow);
      await store.recordExecution({
        execution: failed,
        ending: { status: "failed", error: STOPPED },
        ...times,
        ...NO_OUTPUT,
      });
      const queued = execution(workflow);
      await store.enqueue({ execution: queued });
      await store.cancelExecution({ accountId: account.id, executionId: queued.id, now: T0 + 8, error: STOPPED });
      const lease = await start(world);
      await store.waitExecution({
        lease,
        until: T0 + 1_000,
        sleeps: [],
        calls: null,
        shortage: null,
        usage: USAGE,
        ...NO_OUTPUT,
      });
      const events = await (await reopen()).webhookEvents({ max: 9 });
      expect(events.map(({ executionId, status }) => [executionId, status])).toEqual([
        [ended, "completed"],
        [failed.id, "failed"],
        [queued.id, "cancelled"],
        [lease.executionId, "waiting"],
      ]);
      expect(events[0]).toMatchObject({ accountId: account.id, at: T0 + 5 });
    });

    it("keep their execution from retention until everyone was told", async () => {
      const { world } = subject();
      const { store, workflow } = world;
      const endpoint = await addEndpoint(world);
      const id = await endOne(world);
      const rootsNow = async () =>
        (await store.listEndedRoots({ workflowId: workflow.id, after: null, limit: 5 })).items.map((root) => root.id);
      expect(await rootsNow()).toEqual([]);
      const told = message(endpoint);
      await store.addDeliveries({ event: await nextEvent(store), deliveries: [told], now: T0 });
      expect(await rootsNow()).toEqual([]);
      await store.claimDeliveries({ target: endpoint.id, now: T0, max: 1, leaseMs: 1_000 });
      const attempt = { attempt: 1, at: T0, durationMs: 1, status: 200, error: null, answer: null };
      await store.endAttempt({ deliveryId: told.id, attempt, status: "delivered", dueAt: null, now: T0 });
      expect(await rootsNow()).toEqual([id]);
    });

    it("are not written for other accounts, nested executions and ends nobody asked for", async () => {
      const { world } = subject();
      const { store } = world;
      await addEndpoint(world, { events: ["failed"] });
      await endOne(world);
      const other = await store.putWorkflow(workflowParams(OTHER, { id: randomUUID() }));
      const times = { startedAt: T0, finishedAt: T0, usage: USAGE, ...NO_OUTPUT };
      const ending = { status: "failed", error: STOPPED } as const;
      await store.recordExecution({ execution: execution(other), ending, ...times });
      await store.recordExecution({
        execution: execution(world.workflow, { parentId: "p", parentPos: 0 }),
        ending,
        ...times,
      });
      const disabled = await addEndpoint(world, { accountId: OTHER, enabled: false });
      expect(disabled.enabled).toBe(false);
      await store.recordExecution({ execution: execution(other), ending, ...times });
      expect(await store.webhookEvents({ max: 5 })).toEqual([]);
    });

    it("name endpoints by event and workflow, and the call's own webhook", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const second = await store.putWorkflow(workflowParams(account.id, { ref: "second", id: randomUUID() }));
      const all = await addEndpoint(world);
      const mine = await addEndpoint(world, { workflowIds: [workflow.id] });
      await addEndpoint(world, { workflowIds: [second.id] });
      await addEndpoint(world, { events: ["failed"] });
      const asked = execution(workflow);
      const webhook = { url: "https://call.example.com/x?y", events: ["completed"], endpointId: mine.id } as const;
      await store.addCallWebhook({ executionId: asked.id, webhook });
      await store.enqueue({ execution: asked });
      const [claimed] = await claim(world);
      const lease = { executionId: asked.id, fence: claimed?.fence ?? 0 };
      await store.completeExecution({ lease, ending: DONE, usage: USAGE, ...NO_OUTPUT, now: T0 });
      const event = await nextEvent(store);
      const targets = await store.webhookTargets({ event, workflowId: workflow.id });
      expect(targets).toEqual([
        { endpointId: all.id, url: all.url, target: all.id },
        { endpointId: mine.id, url: mine.url, target: mine.id },
        { endpointId: mine.id, url: webhook.url, target: `${account.id} https://call.example.com` },
      ]);
      await store.addDeliveries({ event, deliveries: [message(all)], now: T0 });
      await store.addDeliveries({ event, deliveries: [message(all)], now: T0 });
      const page = { accountId: account.id, endpointId: null, executionId: null, limit: 5, offset: 0 };
      expect(await store.listDeliveries(page)).toHaveLength(1);
      expect(await store.webhookEvents({ max: 5 })).toEqual([]);
      expect(await store.webhookTargets({ event, workflowId: workflow.id })).toHaveLength(2);
    });

    it("of a call alone need no endpoint; a call that began nothing leaves nothing", async () => {
      const { world } = subject();
      const { store } = world;
      const webhook = { url: "https://call.example.com/", events: ["failed"], endpointId: null } as const;
      const asked = execution(world.workflow);
      const times = { startedAt: T0, finishedAt: T0, usage: USAGE, ...NO_OUTPUT };
      await store.addCallWebhook({ executionId: asked.id, webhook });
      await store.dropOrphanedWebhooks();
      await store.recordExecution({ execution: asked, ending: { status: "failed", error: STOPPED }, ...times });
      expect(await store.webhookEvents({ max: 5 })).toEqual([]);
      const second = execution(world.workflow);
      await store.addCallWebhook({ executionId: second.id, webhook });
      await store.removeCallWebhook({ executionId: second.id });
      const third = execution(world.workflow);
      await store.addCallWebhook({ executionId: third.id, webhook });
      for (const one of [second, third])
        await store.recordExecution({ execution: one, ending: { status: "failed", error: STOPPED }, ...times });
      expect(await store.webhookEvents({ max: 5 })).toMatchObject([{ executionId: third.id }]);
    });
  });
}

function describeDeliveries(subject: () => Subject): void {
  describe("webhook deliveries", () => {
    const claimed = (store: Store, target: string, now = T0) =>
      store.claimDeliveries({ target, now, max: 5, leaseMs: 1_000 });

    it("are claimed when due, each attempt once, and again when its server died", async () => {
      const { world } = subject();
      const { store, account } = world;
      const made = await addDelivery(world);
      expect(made).toMatchObject({
        status: "pending",
        attempts: 0,
        attemptsBefore: 0,
        dueAt: T0,
        payload: '{"n":1}',
        endedAt: null,
      });
      expect(await store.dueTargets({ now: T0 - 1, after: "", max: 5 })).toEqual({ targets: [], next: null });
      expect(await store.dueTargets({ now: T0, after: "", max: 5 })).toEqual({ targets: [made.target], next: null });
      expect(await store.dueTargets({ now: T0, after: "", max: 1 })).toEqual({
        targets: [made.target],
        next: made.target,
      });
      const [first] = await claimed(store, made.target);
      expect(first).toMatchObject({ id: made.id, attempts: 1, dueAt: T0 + 1_000 });
      expect(await claimed(store, made.target)).toEqual([]);
      const [second] = await claimed(store, made.target, T0 + 1_000);
      expect(second).toMatchObject({ attempts: 2 });
      const end = { deliveryId: made.id, status: "pending", dueAt: T0 + 9_000, now: T0 + 1_100 } as const;
      expect(await store.endAttempt({ ...end, attempt: tried(1, 500) })).toBe(false);
      expect(await store.endAttempt({ ...end, attempt: tried(2, 500) })).toBe(true);
      expect(await store.dueTargets({ now: T0 + 8_999, after: "", max: 5 })).toEqual({ targets: [], next: null });
      await claimed(store, made.target, T0 + 9_000);
      await store.releaseDelivery({ deliveryId: made.id, attempt: 3, now: T0 + 9_100 });
      expect(await store.findDelivery({ accountId: account.id, deliveryId: made.id })).toMatchObject({
        attempts: 2,
        dueAt: T0 + 9_100,
      });
      await claimed(store, made.target, T0 + 9_100);
      expect(
        await store.endAttempt({ ...end, attempt: tried(3, 200), status: "delivered", dueAt: null, now: T0 + 9_200 }),
      ).toBe(true);
      expect(await store.findDelivery({ accountId: account.id, deliveryId: made.id })).toMatchObject({
        status: "delivered",
        dueAt: null,
        endedAt: T0 + 9_200,
      });
      expect(await store.readAttempts({ accountId: account.id, deliveryId: made.id })).toEqual([
        tried(2, 500),
        tried(3, 200),
      ]);
    });

    it("are listed by endpoint and execution, replayed and removed when old, each account its own", async () => {
      const { world } = subject();
      const { store, account } = world;
      const made = await addDelivery(world);
      const key = { accountId: account.id, deliveryId: made.id };
      const foreign = { ...key, accountId: OTHER };
      expect(await store.findDelivery(foreign)).toBeNull();
      expect(await store.readAttempts(foreign)).toEqual([]);
      expect(await store.replayDelivery({ ...foreign, now: T0 })).toBe(false);
      const list = (endpointId: string | null, executionId: string | null, accountId = account.id) =>
        store.listDeliveries({ accountId, endpointId, executionId, limit: 5, offset: 0 });
      for (const [endpointId, executionId] of [
        [null, null],
        [made.endpointId, null],
        [null, made.executionId],
        [made.endpointId, made.executionId],
      ] as const) {
        expect(await list(endpointId, executionId)).toEqual([made]);
        expect(await list(endpointId, executionId, OTHER)).toEqual([]);
      }
      expect(await list("whk_0", made.executionId)).toEqual([]);
      expect(await store.replayDelivery({ ...key, now: T0 })).toBe(false);
      await claimed(store, made.target);
      await store.endAttempt({
        deliveryId: made.id,
        attempt: tried(1, 200),
        status: "delivered",
        dueAt: null,
        now: T0 + 5,
      });
      expect(await store.replayDelivery({ ...key, now: T0 + 6 })).toBe(true);
      expect(await store.findDelivery(key)).toMatchObject({
        status: "pending",
        attempts: 1,
        attemptsBefore: 1,
        dueAt: T0 + 6,
        endedAt: null,
      });
      await claimed(store, made.target, T0 + 6);
      await store.endAttempt({
        deliveryId: made.id,
        attempt: tried(2, 410),
        status: "failed",
        dueAt: null,
        now: T0 + 10,
      });
      expect(await store.pruneDeliveries({ before: T0 + 10, max: 5 })).toBe(0);
      expect(await store.pruneDeliveries({ before: T0 + 11, max: 5 })).toBe(1);
      expect(await store.findDelivery(key)).toBeNull();
    });

    it("of one target do not hide those of others", async () => {
      const { world } = subject();
      const { store } = world;
      const a = await addDelivery(world, { target: "a" });
      const b = await addDelivery(world, { target: "b" });
      expect([a.target, b.target]).toEqual(["a", "b"]);
      expect(await store.dueTargets({ now: T0, after: "a", max: 5 })).toEqual({ targets: ["b"], next: null });
      expect(await claimed(store, "b")).toMatchObject([{ id: b.id }]);
      expect(await store.dueTargets({ now: T0, after: "", max: 5 })).toEqual({ targets: ["a"], next: null });
    });
  });
}
