import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { T0, workflowParams } from "../fixtures.ts";

/** Contract: workflows. */
export function describeWorkflows(subject: () => Subject): void {
  describe("workflows", () => {
    it("are found by ref, UUID and number, within the account", async () => {
      const { store, account, workflow } = subject().world;
      for (const key of [workflow.ref, workflow.id, String(workflow.number)]) {
        expect(await store.findWorkflow({ accountId: account.id, key })).toEqual(workflow);
        expect(await store.findWorkflow({ accountId: "other", key })).toBeNull();
      }
      expect(await store.findWorkflow({ accountId: account.id, key: "nope" })).toBeNull();
      expect(await store.findWorkflow({ accountId: account.id, key: "999999" })).toBeNull();
    });

    it("start with env revision 0 and no active version", async () => {
      const { workflow } = subject().world;
      expect(workflow).toMatchObject({
        envRevision: 0,
        activeVersionId: null,
        createdAt: T0,
        updatedAt: T0,
        cache: null,
      });
    });

    it("are updated under the same ref, keeping id, number and creation time", async () => {
      const { store, account, workflow } = subject().world;
      const settings = {
        name: "New",
        timeoutMs: 5_000,
        application: "app",
        validateInput: false,
        inputSchema: null,
        outputSchema: { type: "object", title: "Ünïcode" },
        cache: { enabled: true, ttlMs: 60_000 },
        retention: { ageMs: 60_000, runs: null },
      };
      const updated = await store.putWorkflow(
        workflowParams(account.id, { ...settings, createdAt: T0 + 9, now: T0 + 9 }),
      );
      expect(updated).toEqual({ ...workflow, ...settings, updatedAt: T0 + 9 });
      expect(await store.findWorkflow({ accountId: account.id, key: workflow.ref })).toEqual(updated);
    });

    it("count changes of env, not its repetition or another order", async () => {
      const { store, account } = subject().world;
      const put = async (env: Record<string, string>) =>
        (await store.putWorkflow(workflowParams(account.id, { ref: "env", env }))).envRevision;
      expect([
        await put({ a: "1", b: "2" }),
        await put({ b: "2", a: "1" }),
        await put({ a: "1" }),
        await put({ a: "2" }),
      ]).toEqual([0, 0, 1, 2]);
    });

    it("of two accounts may share a ref", async () => {
      const { store, account, workflow } = subject().world;
      const other = await store.putWorkflow(workflowParams("account-2"));
      expect(other.id).not.toBe(workflow.id);
      expect((await store.findWorkflow({ accountId: account.id, key: "summarize" }))?.id).toBe(workflow.id);
    });

    it("are listed newest first, with the total", async () => {
      const { store, account } = subject().world;
      for (const ref of ["b", "c", "d"]) await store.putWorkflow(workflowParams(account.id, { ref, id: randomUUID() }));
      await store.putWorkflow(workflowParams("account-2"));
      const page = await store.listWorkflows({ accountId: account.id, limit: 2, offset: 1 });
      expect(page.items.map((item) => item.ref)).toEqual(["c", "b"]);
      expect(page.total).toBe(4);
    });
  });
}
