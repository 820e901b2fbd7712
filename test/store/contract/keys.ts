import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { execution, T0, workflowParams } from "../fixtures.ts";

/** Contract: idempotency keys. */
export function describeKeys(subject: () => Subject): void {
  describe("idempotency keys", () => {
    const enqueue = async (idempotencyKey: string, createdAt = T0) => {
      const { store, workflow } = subject().world;
      return (await store.enqueue({ execution: execution(workflow, { idempotencyKey, createdAt }) })).execution;
    };

    it("find the execution of their own account", async () => {
      const { store, account } = subject().world;
      const made = await enqueue("k");
      const asked = { accountId: account.id, idempotencyKey: "k", since: T0 };
      expect(await store.findKeyed(asked)).toEqual(made);
      expect(await store.findKeyed({ ...asked, idempotencyKey: "other" })).toBeNull();
      expect(await store.findKeyed({ ...asked, accountId: "account-2" })).toBeNull();
      const other = await store.putWorkflow(workflowParams("account-2"));
      const theirs = execution(other, { idempotencyKey: "k" });
      await store.enqueue({ execution: theirs });
      expect((await store.findKeyed({ ...asked, accountId: "account-2" }))?.id).toBe(theirs.id);
    });

    it("are free again once they are too old, and the execution stays", async () => {
      const { store, account } = subject().world;
      const old = await enqueue("k");
      const asked = { accountId: account.id, idempotencyKey: "k", since: T0 + 1 };
      expect(await store.findKeyed(asked)).toBeNull();
      const young = await enqueue("k", T0 + 1);
      expect(young.id).not.toBe(old.id);
      expect((await store.findKeyed(asked))?.id).toBe(young.id);
      const found = await store.findExecution({ accountId: account.id, executionId: old.id });
      expect(found).toMatchObject({ id: old.id, idempotencyKey: null });
    });

    it("are taken away oldest first, a portion at a time, across reopening", async () => {
      const { world, reopen } = subject();
      for (let n = 0; n < 5; n++) await enqueue(`k${n}`, T0 + n);
      const store = await reopen();
      expect(await store.expireKeys({ since: T0 + 3, max: 2 })).toBe(2);
      expect(await store.expireKeys({ since: T0 + 3, max: 2 })).toBe(1);
      expect(await store.expireKeys({ since: T0 + 3, max: 2 })).toBe(0);
      const left = await Promise.all(
        [0, 1, 2, 3, 4].map((n) =>
          store.findKeyed({ accountId: world.account.id, idempotencyKey: `k${n}`, since: T0 }),
        ),
      );
      expect(left.map((one) => one !== null)).toEqual([false, false, false, true, true]);
    });
  });
}
