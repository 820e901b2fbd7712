import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { GraphCall, GraphService } from "../../../src/engine/graphs/graph-service.ts";
import type { NodeEvent } from "../../../src/engine/graphs/node-states.ts";
import { STARTER, SUPPORT } from "../../graph/samples.ts";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { type ModelStub, startModelStub } from "../../support/model-stub.ts";
import { rejectionOf as thrown } from "../../support/thrown.ts";

let stub: ModelStub;
let core: TestCore;
let graphs: GraphService;
let accountId = "";

beforeAll(async () => {
  stub = await startModelStub();
  core = await startTestCore({ OPENAI_API_KEY: "key", OPENAI_BASE_URL: stub.url, WEFT_ARM_WINDOW_MS: "60000" });
  graphs = core.graphs;
  accountId = core.accountId;
});
beforeEach(() => stub.always({}));
afterAll(async () => {
  await core.close();
  await stub.close();
});

const call = (key: string, input: unknown, more: Partial<GraphCall> = {}): GraphCall => ({
  ...{ accountId, key, input, requestId: randomUUID(), keyName: "owner", mode: "sync", version: "active" },
  ...{ context: {}, sessionId: null, fresh: false, timeoutMs: null, onDisconnect: null, webhook: null },
  idempotencyKey: null,
  ...more,
});

const create = (name: string, document: object = SUPPORT) =>
  graphs.create({ accountId, name, dialect: "motte", document, description: "for a test" });

describe("definitions", () => {
  test("are stored under a ref made of the name, and found by each form of their id", async () => {
    const first = await create("Kundendienst für Ärzte!");
    expect(first.workflow.ref).toBe("kundendienst-fur-arzte");
    const second = await create("Kundendienst für Ärzte!");
    expect(second.workflow.ref).toBe("kundendienst-fur-arzte-2");
    const { id, number } = first.workflow;
    for (const key of [id, `wf_${id.replaceAll("-", "")}`, String(number), first.workflow.ref]) {
      expect((await graphs.find({ accountId, key })).workflow.id).toBe(id);
    }
    expect(first).toMatchObject({ label: "1.0", revision: 1, dialect: "motte", deployed: false, isOwn: true });
    expect(first.graph?.nodes.map(({ id: node }) => node)).toEqual(["classifier", "responder"]);
  });

  test("get a new label only when something changed", async () => {
    const { workflow } = await create("labels");
    const key = { accountId, key: workflow.id };
    const same = await graphs.saveGraph({ ...key, dialect: "motte", document: SUPPORT });
    expect(same).toMatchObject({ changed: false, label: "1.0" });
    const moved = { ...SUPPORT, nodes: SUPPORT.nodes.map((node) => ({ ...node, position: { x: 1, y: 2 } })) };
    const saved = await graphs.saveGraph({ ...key, dialect: "motte", document: moved });
    expect(saved).toMatchObject({ changed: true, label: "1.1", revision: 2 });
    expect((await graphs.find(key)).graph?.nodes[0]?.position).toEqual({ x: 1, y: 2 });
  });

  test("stay as they are when a graph is refused", async () => {
    const { workflow } = await create("stays");
    const key = { accountId, key: workflow.id };
    const broken = { nodes: [{ id: "a", type: "transform", config: { script: "return (" } }], edges: [] };
    const error = await thrown(graphs.saveGraph({ ...key, dialect: "motte", document: broken }));
    expect(error).toMatchObject({ code: "INVALID_WORKFLOW_SCHEMA" });
    expect(error.details["problems"]).toEqual([
      expect.objectContaining({ path: "nodes[0].config.script", message: expect.stringMatching(/^line \d: /) }),
    ]);
    expect((await graphs.find(key)).graph?.nodes).toHaveLength(2);
  });

  test("are another account's business only where they are public, and then without secrets", async () => {
    const blocks = { ...STARTER, blocks: [...STARTER.blocks, { id: "hook", type: "webhook", config: {} }] };
    const { workflow } = await graphs.create({ accountId, name: "shared", dialect: "powabase", document: blocks });
    const stranger = { accountId: "stranger", key: workflow.id };
    expect(await thrown(graphs.find({ ...stranger, withPublic: true }))).toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    await graphs.update({ accountId, key: workflow.id, isPublic: true, category: "demo" });
    expect(await thrown(graphs.find(stranger))).toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    const seen = await graphs.find({ ...stranger, withPublic: true });
    expect(seen).toMatchObject({ isOwn: false, category: "demo" });
    expect(JSON.stringify(seen.graph)).not.toContain("webhook_secret");
    const listed = await graphs.list({ accountId: "stranger", withPublic: true, limit: 10, offset: 0 });
    expect(listed.items.map(({ workflow: one }) => one.id)).toEqual([workflow.id]);
    const own = { ...stranger, limit: 10, offset: 0 };
    expect(await graphs.list({ accountId: "stranger", limit: 10, offset: 0 })).toMatchObject({ total: 0 });
    expect(await thrown(graphs.listRuns({ ...own, statuses: null }))).toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    expect(await graphs.rate({ ...stranger, stars: 4 })).toMatchObject({ rating: 4 });
    expect(await graphs.rate({ accountId, key: workflow.id, stars: 1 })).toMatchObject({ rating: 2.5 });
    expect(await thrown(graphs.rate({ ...stranger, stars: 6 }))).toMatchObject({ code: "INVALID_REQUEST" });
  });
});

describe("runs", () => {
  test("are read node by node, with what the server metered", async () => {
    stub.always((body) => ({
      content: JSON.stringify(body).includes("Classify") ? '{"category":"billing"}' : "Hello.",
      promptTokens: 30,
      completionTokens: 12,
    }));
    const { workflow } = await create("metered");
    const invocation = await graphs.run(call(workflow.id, { message: "hi" }, { context: { channel: "email" } }));
    const { executionId } = invocation;
    expect(await invocation.result).toMatchObject({ status: "completed" });
    const run = await graphs.readRun({ accountId, executionId, key: workflow.ref });
    expect(run).toMatchObject({
      progress: 1,
      currentNode: null,
      context: { channel: "email" },
      input: { message: "hi" },
    });
    expect(run.nodes).toEqual([
      expect.objectContaining({
        ...{ nodeId: "classifier", type: "llm_agent", status: "completed", output: { category: "billing" } },
        ...{ promptTokens: 30, completionTokens: 12, attempts: 1, input: { message: "hi" } },
      }),
      expect.objectContaining({
        nodeId: "responder",
        input: { classifier: { category: "billing" } },
        promptTokens: 30,
      }),
    ]);
    const stranger = { accountId: "stranger", executionId };
    expect(await thrown(graphs.readRun(stranger))).toMatchObject({ code: "EXECUTION_NOT_FOUND" });
    const other = await create("other");
    const wrong = { accountId, executionId, key: other.workflow.id };
    expect(await thrown(graphs.readRun(wrong))).toMatchObject({ code: "EXECUTION_NOT_FOUND" });
    expect((await graphs.find({ accountId, key: workflow.id })).counts).toMatchObject({ runs: 1, completed: 1 });
  });

  test("that fail name the node, and what had not ended is cancelled", async () => {
    stub.always((body) => (JSON.stringify(body).includes("slow") ? { delayMs: 20_000 } : { status: 400, error: "no" }));
    const node = (id: string, prompt: string) => ({ id, type: "llm_agent", config: { model: "gpt-4", prompt } });
    const { workflow } = await create("fails", { nodes: [node("waits", "slow"), node("breaks", "now")], edges: [] });
    const invocation = await graphs.run(call(workflow.id, "x"));
    const result = await invocation.result;
    expect(result).toMatchObject({
      status: "failed",
      error: { code: "NODE_EXECUTION_FAILED", details: { node_id: "breaks" } },
    });
    const { nodes } = await graphs.readRun({ accountId, executionId: invocation.executionId });
    expect(nodes.map(({ nodeId, status }) => [nodeId, status])).toEqual([
      ["waits", "cancelled"],
      ["breaks", "failed"],
    ]);
  });

  test("are followed while they go on, and after", async () => {
    stub.always({ content: '{"category":"x"}', delayMs: 200 });
    const { workflow } = await create("followed");
    const { executionId } = await graphs.run(call(workflow.id, "hello", { mode: "background" }));
    const read = async () => {
      const events: string[] = [];
      const { signal } = new AbortController();
      for await (const event of graphs.followRun({ accountId, executionId, signal })) events.push(nameOf(event));
      return events;
    };
    const expected = ["start classifier", "complete classifier", "start responder", "complete responder"];
    expect(await read()).toEqual(expected);
    expect(await read()).toEqual(expected);
  });

  test("of a script are one node", async () => {
    const text = "export const execute = async (ctx) => ({ echoed: ctx.input });";
    const settings = { name: "plain" };
    await core.workflows.deploy({
      ...{ accountId, ref: "plain", upload: { files: [{ path: "main.ts", text }] }, settings, accessories: [] },
      ...{ publish: true, bump: "minor", notes: "" },
    });
    const invocation = await graphs.run(call("plain", 7));
    await invocation.result;
    const run = await graphs.readRun({ accountId, executionId: invocation.executionId });
    expect(run).toMatchObject({
      graph: null,
      nodes: [{ nodeId: "script", status: "completed", output: { echoed: 7 } }],
    });
    const save = graphs.saveGraph({ accountId, key: "plain", dialect: "motte", document: SUPPORT });
    expect(await thrown(save)).toMatchObject({ code: "CONFLICT" });
  });
});

const nameOf = (event: NodeEvent): string =>
  event.type === "skip" ? "skip" : `${event.type} ${"node" in event ? event.node.nodeId : event.nodeId}`;

describe("webhooks", () => {
  const HOOK = {
    blocks: [
      { id: "hook", type: "webhook", config: {} },
      { id: "out", type: "response", config: {} },
    ],
    edges: [{ source: "hook", target: "out" }],
  };
  const make = async (config: object = {}) => {
    const document = { ...HOOK, blocks: [{ ...HOOK.blocks[0], config }, HOOK.blocks[1]] };
    const made = await graphs.create({ accountId, name: "hook", dialect: "powabase", document });
    const { webhook_id: triggerId, webhook_secret: secret } = (made.graph?.nodes[0]?.config ?? {}) as Record<
      string,
      string
    >;
    const send = (sent = secret) =>
      graphs.trigger({ triggerId: triggerId ?? "", secret: sent ?? null, payload: { n: 1 }, requestId: randomUUID() });
    return { key: { accountId, key: made.workflow.id }, send, triggerId, secret, document };
  };

  test("take one call while their window is open; a wrong secret does not close it", async () => {
    const { key, send } = await make();
    expect(await thrown(send())).toMatchObject({ code: "FORBIDDEN" });
    await graphs.arm(key);
    expect(await thrown(send("wrong"))).toMatchObject({ code: "UNAUTHENTICATED" });
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => send()));
    const taken = answers.filter((one) => one.status === "fulfilled");
    expect(taken).toHaveLength(1);
    const result = await taken[0]?.value.result;
    expect(result).toMatchObject({ status: "completed", output: '{"n":1}' });
    await graphs.arm(key);
    await graphs.undeploy(key);
    expect(await thrown(send())).toMatchObject({ code: "FORBIDDEN" });
  });

  test("keep their id and secret when the graph is saved again", async () => {
    const { key, document, triggerId, secret } = await make();
    const saved = await graphs.saveGraph({ ...key, dialect: "powabase", document });
    expect(saved.graph?.nodes[0]?.config).toMatchObject({ webhook_id: triggerId, webhook_secret: secret });
    expect(saved.changed).toBe(false);
  });

  test("that may be used more than once are open while the workflow is deployed", async () => {
    const { key, send } = await make({ single_use: false });
    await graphs.deploy(key);
    await (await send()).result;
    expect(await (await send()).result).toMatchObject({ status: "completed" });
    await graphs.undeploy(key);
    expect(await thrown(send())).toMatchObject({ code: "FORBIDDEN" });
  });

  test("are gone when the window has passed", async () => {
    const short = await startTestCore({ WEFT_ARM_WINDOW_MS: "1" });
    try {
      const made = await short.graphs.create({
        accountId: short.accountId,
        name: "h",
        dialect: "powabase",
        document: HOOK,
      });
      const { webhook_id: triggerId, webhook_secret: secret } = (made.graph?.nodes[0]?.config ?? {}) as Record<
        string,
        string
      >;
      await short.graphs.arm({ accountId: short.accountId, key: made.workflow.id });
      await sleep(10);
      const call = { triggerId: triggerId ?? "", secret: secret ?? null, payload: {}, requestId: "r" };
      expect(await thrown(short.graphs.trigger(call))).toMatchObject({ code: "FORBIDDEN" });
    } finally {
      await short.close();
    }
  });
});
