import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Agent, Store } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { T0, type World, workflowParams } from "../fixtures.ts";

const OTHER = "account-2";

type Put = Parameters<Store["putAgent"]>[0];

function put({ store, account }: World, changes: Partial<Put> = {}): ReturnType<Store["putAgent"]> {
  return store.putAgent({
    accountId: account.id,
    id: `agent_${randomUUID().replaceAll("-", "")}`,
    name: "support",
    definition: '{"system_prompt":"Help."}',
    notes: "",
    activate: true,
    expects: "any",
    maxAgents: 3,
    maxVersions: 3,
    now: T0,
    ...changes,
  });
}

const keyOf = ({ accountId, id: agentId }: Agent) => ({ accountId, agentId });

/** Contract of agents. */
export function describeAgents(subject: () => Subject): void {
  describe("agents", () => {
    it("are kept with all versions, also across a restart", async () => {
      const { world, reopen } = subject();
      const first = await put(world);
      expect(first).toMatchObject({
        created: true,
        version: { number: 1 },
        agent: { activeVersion: 1, newestVersion: 1 },
      });
      const second = await put(world, { definition: "{}", notes: "shorter", now: T0 + 5 });
      expect(second).toMatchObject({ created: true, version: { number: 2, definition: "{}", notes: "shorter" } });
      expect(second.agent).toMatchObject({ id: first.agent.id, activeVersion: 2, createdAt: T0, updatedAt: T0 + 5 });
      const store = await reopen();
      expect(await store.findAgent({ accountId: world.account.id, key: "support" })).toEqual(second.agent);
      expect(await store.findAgent({ accountId: world.account.id, key: first.agent.id })).toEqual(second.agent);
      const page = await store.listAgentVersions({ ...keyOf(first.agent), limit: 10, offset: 0 });
      expect(page).toEqual({ items: [second.version, first.version], total: 2 });
      expect(await store.findAgentVersion({ ...keyOf(first.agent), number: 1 })).toEqual(first.version);
      expect(await store.findAgentVersion({ ...keyOf(first.agent), number: 3 })).toBeNull();
    });

    it("get no version for a definition equal to the newest", async () => {
      const { world } = subject();
      const first = await put(world);
      expect(await put(world, { now: T0 + 1 })).toMatchObject({ created: false, version: first.version });
      await put(world, { definition: "{}" });
      expect(await put(world)).toMatchObject({ created: true, version: { number: 3 } });
    });

    it("keep the active version where a new one is not to be activated, and can go back", async () => {
      const { world } = subject();
      const { agent } = await put(world);
      expect((await put(world, { definition: "{}", activate: false })).agent).toMatchObject({
        activeVersion: 1,
        newestVersion: 2,
      });
      const { store } = world;
      expect(await store.activateAgentVersion({ ...keyOf(agent), number: 2, now: T0 })).toBe(true);
      expect(await store.activateAgentVersion({ ...keyOf(agent), number: 9, now: T0 })).toBe(false);
      expect(await store.findAgent({ accountId: agent.accountId, key: "support" })).toMatchObject({ activeVersion: 2 });
    });

    it("are refused over a limit, or when a new one has a name that is taken", async () => {
      const { world } = subject();
      await put(world);
      await expect(put(world, { expects: "new" })).rejects.toMatchObject({ code: "CONFLICT" });
      await put(world, { name: "b" });
      await put(world, { name: "c" });
      const refused = { code: "RATE_LIMITED", details: { limit: "MAX_AGENTS" } };
      await expect(put(world, { name: "d" })).rejects.toMatchObject(refused);
      await put(world, { definition: "1" });
      await put(world, { definition: "2" });
      const full = { code: "RATE_LIMITED", details: { limit: "MAX_AGENT_VERSIONS" } };
      await expect(put(world, { definition: "3" })).rejects.toMatchObject(full);
    });

    it("belong to their account", async () => {
      const { world } = subject();
      const { store } = world;
      const { agent } = await put(world);
      const key = { accountId: OTHER, agentId: agent.id };
      expect(await store.findAgent({ accountId: OTHER, key: "support" })).toBeNull();
      expect(await store.findAgent({ accountId: OTHER, key: agent.id })).toBeNull();
      expect(await store.listAgents({ accountId: OTHER, limit: 10, offset: 0 })).toEqual({ items: [], total: 0 });
      expect(await store.findAgentVersion({ ...key, number: 1 })).toBeNull();
      expect(await store.listAgentVersions({ ...key, limit: 10, offset: 0 })).toEqual({ items: [], total: 0 });
      expect(await store.activateAgentVersion({ ...key, number: 1, now: T0 })).toBe(false);
      expect(await store.removeAgent(key)).toBe(false);
      expect((await put(world, { accountId: OTHER })).version.number).toBe(1);
    });

    it("are listed newest first and gone once removed", async () => {
      const { world } = subject();
      const { store, account } = world;
      const { agent } = await put(world);
      await put(world, { name: "b" });
      const list = () => store.listAgents({ accountId: account.id, limit: 10, offset: 0 });
      expect((await list()).items.map(({ name }) => name)).toEqual(["b", "support"]);
      expect(await store.removeAgent(keyOf(agent))).toBe(true);
      expect(await store.removeAgent(keyOf(agent))).toBe(false);
      expect(await list()).toMatchObject({ total: 1, items: [{ name: "b" }] });
      expect((await put(world)).version.number).toBe(1);
    });

    it("have workflows that are not listed", async () => {
      const { store, account } = subject().world;
      const made = await store.putWorkflow(workflowParams(account.id, { ref: "agent:support" }));
      const { items, total } = await store.listWorkflows({ accountId: account.id, limit: 10, offset: 0 });
      expect({ refs: items.map(({ ref }) => ref), total }).toEqual({ refs: ["summarize"], total: 1 });
      expect(await store.findWorkflow({ accountId: account.id, key: "agent:support" })).toEqual(made);
    });
  });
}
