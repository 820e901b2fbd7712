import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import {
  CODE,
  chunks,
  claim,
  entry,
  execution,
  finish,
  LEASE_MS,
  sha256,
  start,
  T0,
  version,
  workflowParams,
} from "../fixtures.ts";

/** Contract: deletion of a workflow with all that belongs to it. */
export function describeRemoval(subject: () => Subject): void {
  describe("deleteWorkflow", () => {
    it("removes all that belongs to the workflow and leaves what is shared", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const other = await store.putWorkflow(workflowParams(account.id, { ref: "other", id: randomUUID() }));
      const file = (text: string) => ({ [text]: { hash: sha256(text), bytes: text.length, filename: text } });
      for (const text of ["mine", "shared"]) await store.putBlob({ hash: sha256(text), bytes: Buffer.from(text) });
      const mine = version(workflow, { accessories: { ...file("mine"), ...file("shared") } });
      await store.addVersion({ version: mine, code: CODE, activate: true });
      const own = version(workflow, { number: "2.0.0", bundleHash: sha256("own") });
      await store.addVersion({ version: own, code: CODE, activate: true });
      const theirs = version(other, { accessories: file("shared") });
      await store.addVersion({ version: theirs, code: CODE, activate: true });
      const lease = await start(world);
      await store.appendJournal({ lease, records: [entry(0, { args: "{}" })] });
      await store.appendOutput({ lease, chunks: chunks(0, 2), logs: [] });
      await store.enqueue({ execution: execution(workflow, { idempotencyKey: "i" }) });
      const kept = await start({ ...world, workflow: other });
      await store.writeResult({
        key: "k",
        workflowId: workflow.id,
        result: { executionId: null, output: "1", chunks: [], createdAt: T0, expiresAt: null },
      });

      expect(await store.deleteWorkflow({ accountId: "other", workflowId: workflow.id })).toBe(false);
      expect(await store.deleteWorkflow({ accountId: account.id, workflowId: workflow.id })).toBe(true);
      expect(await store.deleteWorkflow({ accountId: account.id, workflowId: workflow.id })).toBe(false);

      expect(await store.findWorkflow({ accountId: account.id, key: "summarize" })).toBeNull();
      expect(await store.findVersion({ accountId: account.id, versionId: mine.id })).toBeNull();
      expect(await store.bundleCode({ hash: sha256("own") })).toBeNull();
      expect(await store.bundleCode({ hash: sha256("bundle") })).toBe(CODE.code);
      expect(await store.readBlob({ hash: sha256("mine") })).toBeNull();
      expect(await store.readBlob({ hash: sha256("shared") })).not.toBeNull();
      expect(await store.readJournal({ executionId: lease.executionId })).toEqual([]);
      expect(await store.readChunks({ executionId: lease.executionId, from: 0, limit: 9 })).toEqual([]);
      expect(await store.readResult({ key: "k", now: T0 })).toBeNull();
      expect(await finish(world, lease)).toBe(false);
      expect(await claim(world)).toEqual([]);
      const left = await store.listExecutions({
        accountId: account.id,
        filter: {},
        limit: 9,
        offset: 0,
        after: null,
      });
      expect(left.items.map((item) => item.id)).toEqual([kept.executionId]);
      expect(left.total).toBe(1);
      expect((await store.enqueue({ execution: execution(other, { idempotencyKey: "i" }) })).created).toBe(true);
    });

    it("takes a long history along and lets the ref be used anew", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const leases = await Promise.all(Array.from({ length: 2_100 }, () => start(world)));
      const deleted = store.deleteWorkflow({ accountId: account.id, workflowId: workflow.id });
      expect(await claim(world, { now: T0 + 10 * LEASE_MS, worker: "w2" })).toEqual([]);
      const renewed = await store.renew({ worker: "w1", leases, leaseMs: LEASE_MS, now: T0 });
      expect(new Set(renewed)).toEqual(new Set(["lost"]));
      expect(await deleted).toBe(true);
      const all = await store.listExecutions({
        accountId: account.id,
        filter: {},
        limit: 9,
        offset: 0,
        after: null,
      });
      expect(all).toEqual({ items: [], total: 0, next: null });
      const again = await store.putWorkflow(workflowParams(account.id, { id: randomUUID() }));
      expect(again.number).not.toBe(workflow.number);
      await start({ ...world, workflow: again });
    });
  });
}
